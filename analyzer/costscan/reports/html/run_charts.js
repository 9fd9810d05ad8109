"use strict";
// The charts of a run: what each turn was billed for, and what its prompt carried. A turn stands at the same place in
// both, and a token is as high, so that one can be held against the other; so are those of the threads of a run.

const CLASS_COLOURS = [1, 2, 3, 4, 5].map((n) => `var(--m${n})`);
const BAND_COLOURS = [6, 2, 1, 3, 4, 5].map((n) => `var(--k${n})`);
const LEAST_BAR = 4;
const LEAST_COLUMN = 3;
const LEAST_HEIGHT = 0.3;
const LEAST_EDGED = 4;
const RUN_HEIGHT = 280;
const RUN_MARGINS = { marginLeft: 60, marginRight: 12, marginTop: 14 };
const turnAxis = (many, width) => ({ label: null, domain: [-0.5, many - 0.5], ticks: Math.min(many, Math.max(Math.floor(width / 70), 2)), tickFormat: (turn) => (Number.isInteger(turn) ? count(turn) : "") });
const hereMark = (turn) => (turn === null ? [] : [Plot.ruleX([turn], { stroke: "var(--text)", strokeDasharray: "2 2" })]);

// The turns of a thread put together so that bars can be seen: all threads of a run alike, so that they compare.
function turnBars({ stacks, turns, missed }, step) {
  return d3.range(0, turns.length, step).map((from) => {
    const rows = d3.range(from, Math.min(from + step, turns.length));
    const parts = stacks.map((values) => d3.sum(rows, (row) => values[row] ?? 0));
    return { from: turns[from], to: turns[rows.at(-1)], parts, all: d3.sum(parts), missed: d3.sum(rows, (row) => missed[row] ?? 0) };
  });
}

const barName = ({ from, to }) => (from === to ? `turn ${from}` : `turns ${from}-${to}`);
const barMiddle = ({ from, to }) => (from + to) / 2;

function turnChart(threads, at, { classes, isUsd, here }, width) {
  const most = d3.max(threads, (thread) => thread.turns.length);
  const step = Math.ceil((most * LEAST_BAR) / width);
  const write = isUsd ? (value) => usd(value, top < 0.1) : tokens;
  const top = d3.max(threads, (thread) => d3.max(turnBars(thread, step), (bar) => bar.all)) || 1;
  const bars = turnBars(threads[at], step);
  const rows = bars.flatMap((bar) => {
    let below = 0;
    return bar.parts.map((part, n) => ({ ...bar, n, low: below, high: (below += part) })).filter((row) => row.high > row.low);
  });
  const told = (bar) => [
    `${barName(bar)}: ${write(bar.all)}`,
    ...classes.map((word, n) => [word, bar.parts[n]]).filter(([, part]) => part).map(([word, part]) => `${word}  ${write(part)}`),
    bar.missed ? `missed the cache  ${tokens(bar.missed)}` : "",
  ].filter(Boolean).join("\n");
  const chart = plot({
    width,
    height: RUN_HEIGHT,
    ...RUN_MARGINS,
    ariaLabel: isUsd ? "Dollars of each turn, by what they were billed for" : "Tokens of each turn, by what they were billed as",
    x: turnAxis(threads[at].turns.length, width),
    y: { label: null, grid: true, ticks: 5, domain: [0, top * 1.04], tickFormat: write },
    marks: [
      Plot.rect(rows, { x1: (bar) => bar.from - 0.5, x2: (bar) => bar.to + 0.5, y1: "low", y2: "high", fill: (bar) => CLASS_COLOURS[bar.n], insetLeft: 0.5, insetRight: 0.5 }),
      Plot.ruleY([0]),
      ...hereMark(here),
      Plot.dot(bars.filter((bar) => bar.missed), { x: barMiddle, y: "all", dy: -7, symbol: "times", stroke: "var(--bad)", strokeWidth: 2, r: 4 }),
      Plot.tip(bars, Plot.pointerX({ x: barMiddle, y: "all", title: told, lineWidth: 40 })),
    ],
  });
  chart.addEventListener("click", () => chart.value && address.go({ turn: String(chart.value.from) }));
  return step === 1 ? [chart] : [chart, element("p", { className: "note" }, `A bar is ${count(step)} turns.`)];
}

// Bands as rectangles: one goes on as long as what lies below it stays as high.
function rectangles(bands, columns, step) {
  const going = new Map();
  const done = [];
  for (const turn of columns) {
    let low = 0;
    const sent = new Set();
    for (const band of bands) {
      if (turn < band.from || turn >= band.to) continue;
      const last = going.get(band);
      if (last?.low === low) last.x2 = turn + step - 0.5;
      else {
        const next = { band, low, high: low + band.tokens, x1: turn - 0.5, x2: turn + step - 0.5 };
        going.set(band, next);
        done.push(next);
      }
      sent.add(band);
      low += band.tokens;
    }
    for (const band of going.keys()) if (!sent.has(band)) going.delete(band);
  }
  return done;
}

function carriedChart(threads, at, { bands: words, here }, width) {
  const { bands, turns } = threads[at];
  const step = Math.ceil((turns.length * LEAST_COLUMN) / width);
  const top = d3.max(threads, (thread) => thread.mostTokens) || 1;
  const rows = rectangles(bands, d3.range(0, turns.length, step), step);
  const heightOf = (row) => ((row.high - row.low) / top) * RUN_HEIGHT;
  const seen = rows.filter((row) => heightOf(row) >= LEAST_HEIGHT);
  const rects = (some, edge) => Plot.rect(some, {
    x1: "x1",
    x2: (row) => Math.min(row.x2, turns.length - 0.5),
    y1: "low",
    y2: "high",
    fill: (row) => BAND_COLOURS[row.band.kind],
    title: (row) => bandTold(row.band, words),
    ...edge,
  });
  return plot({
    width,
    height: RUN_HEIGHT,
    ...RUN_MARGINS,
    ariaLabel: "What the prompt of each turn carried, by what it is and the turn it came in",
    x: turnAxis(turns.length, width),
    y: { label: null, grid: true, ticks: 5, domain: [0, top * 1.04], tickFormat: tokens },
    marks: [
      rects(seen.filter((row) => heightOf(row) < LEAST_EDGED), {}),
      rects(seen.filter((row) => heightOf(row) >= LEAST_EDGED), { stroke: "var(--panel)", strokeWidth: 0.7 }),
      Plot.ruleY([0]),
      ...hereMark(here),
    ],
  });
}

function bandTold({ kind, from, to, tokens: size, message }, words) {
  const origin = message ? `, came in at turn ${from}` : "";
  return `${words[kind]}${origin}: ${tokens(size)} tokens, in the prompts of ${plural(to - from, "turn")} (${from}-${to - 1})`;
}
