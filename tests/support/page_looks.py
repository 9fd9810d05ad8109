"""Scripts that look at a page: whether its text can be read, and what its charts draw."""

from typing import Final

CONTRAST: Final = """() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, n) => sum + v * [0.2126, 0.7152, 0.0722][n], 0);
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)]; return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05); };
  const of = (name) => {
    const probe = document.createElement('i');
    probe.style.color = `var(--${name})`;
    document.body.append(probe);
    const found = channels(getComputedStyle(probe).color);
    probe.remove();
    return found;
  };
  const behind = (at) => {
    for (; at; at = at.parentElement) {
      const found = channels(getComputedStyle(at).backgroundColor);
      if (found.length < 4 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  const faint = [];
  const onBar = String(of('on-bar'));
  let texts = 0;
  for (const at of document.querySelectorAll('body *')) {
    const own = [...at.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    const style = getComputedStyle(at);
    if (!own || !at.getClientRects().length || style.visibility === 'hidden' || at.closest('script, style, .unseen, button:disabled')) continue;
    const inChart = at.closest('svg');
    const colour = channels(inChart ? style.fill : style.color);
    const backs = inChart && String(colour.slice(0, 3)) === onBar ? ['bar', 'good', 'saved', 'bad'].map(of) : [behind(inChart ?? at)];
    const large = parseFloat(style.fontSize) >= 24;
    texts += 1;
    for (const back of backs) if (ratio(colour, back) < (large ? 3 : 4.5)) faint.push([at.textContent.slice(0, 40), colour, back]);
  }
  const panel = of('panel');
  for (const mark of ['bar', 'good', 'saved', 'bad', ...'1234567'.split('').map((n) => `c${n}`), ...'123456'.split('').map((n) => `k${n}`), ...'12345'.split('').map((n) => `m${n}`)])
    if (ratio(of(mark), panel) < 3) faint.push([mark, ratio(of(mark), panel)]);
  return { texts, faint };
}"""
"""The texts that are shown, and those that are too faint; marks of charts too."""
CHARTS: Final = """() => [...document.querySelectorAll('svg.plot')].map((chart) => {
  const marks = [...chart.querySelectorAll('[aria-label=bar] rect, [aria-label=rect] rect, [aria-label=area] path')];
  const drawn = marks.filter((mark) => { const box = mark.getBBox(); return box.width > 0 && box.height > 0; });
  return [chart.getAttribute('aria-label'), drawn.length, chart.outerHTML.includes('NaN')];
})"""
"""Each chart with the marks that it draws, and whether one of them is broken."""
