"use strict";
// The charts, drawn with Observable Plot; colours are variables of report.css, so that they follow the theme.

const DAY_MS = 86400000;
const LABEL_WIDTH = 190;
const colour = (n) => `var(--c${n + 1})`;
const plot = (options) => Plot.plot({ className: "plot", ...options });

// Draws a chart in the width of its place, and again when that changes; gives what draws it anew.
function drawn(place, draw) {
  let width = 0;
  const again = () => place.replaceChildren(...[draw(width)].flat());
  const fitted = () => {
    const now = Math.floor(place.clientWidth);
    if (now === width || !now) return;
    width = now;
    again();
  };
  new ResizeObserver(() => requestAnimationFrame(fitted)).observe(place);
  fitted();
  return () => width && again();
}

function legend(names, colours) {
  const items = names.map((name, n) => {
    const swatch = element("span", { className: "swatch" });
    swatch.style.background = colours[n];
    return element("li", {}, swatch, name);
  });
  return element("ul", { className: "legend" }, ...items);
}

function waterfall(levers, width) {
  const isFine = levers.billedUsd < 1;
  let left = levers.billedUsd;
  const falls = levers.falls.map(([name, saved]) => {
    const told = `${saved > 0 ? "−" : "+"}${usd(Math.abs(saved), isFine)} · ${percent(Math.abs(saved) / levers.billedUsd)}`;
    return { name, from: left, to: (left -= saved), told, fill: saved > 0 ? "var(--saved)" : "var(--bad)" };
  });
  const rows = [
    { name: "as billed", from: 0, to: levers.billedUsd, told: usd(levers.billedUsd, isFine), fill: "var(--bar)" },
    ...falls,
    { name: "with all", from: 0, to: levers.leftUsd, told: usd(levers.leftUsd, isFine), fill: "var(--good)" },
  ].map((row) => ({ ...row, low: Math.min(row.from, row.to), high: Math.max(row.from, row.to) }));
  const most = Math.max(...rows.map((row) => row.high));
  const room = most * Math.max(0.3, 120 / width);
  const side = (row) => (row.high - row.low > room ? "in" : row.low > room ? "left" : "right");
  const label = (where, options) => Plot.text(rows.filter((row) => side(row) === where), { y: "name", text: "told", fontWeight: 600, ...options });
  const steps = rows.slice(1).map((row, n) => ({ x: rows[n].to, above: rows[n].name, below: row.name }));
  return plot({
    width,
    height: 46 * rows.length + 10,
    marginLeft: 78,
    marginRight: 12,
    marginTop: 4,
    marginBottom: 4,
    ariaLabel: "What each lever would have saved of the bill",
    x: { axis: null, domain: [0, most] },
    y: { domain: rows.map((row) => row.name), label: null, tickSize: 0, padding: 0.28 },
    marks: [
      Plot.barX(rows, { y: "name", x1: "low", x2: "high", fill: "fill", rx: 3 }),
      Plot.link(steps, { x: "x", y1: "above", y2: "below", stroke: "var(--faint)", strokeDasharray: "2 3" }),
      label("in", { x: "high", dx: -10, textAnchor: "end", fill: "var(--on-bar)" }),
      label("left", { x: "low", dx: -8, textAnchor: "end" }),
      label("right", { x: "high", dx: 8, textAnchor: "start" }),
    ],
  });
}

// Days, weeks or months, whichever leaves bars that can be seen.
function interval(days, width) {
  const span = (days.at(-1) - days[0]) / DAY_MS + 1;
  const fits = Math.max(width / 7, 30);
  return span <= fits ? ["day", d3.utcDay] : span <= fits * 7 ? ["week", d3.utcMonday] : ["month", d3.utcMonth];
}

function spendChart(spend, width) {
  const days = spend.days.map((day) => new Date(day));
  const [name, every] = interval(days, width);
  const sums = d3.rollups(d3.range(days.length), (list) => spend.usd.map((row) => d3.sum(list, (n) => row[n])), (n) => +every.floor(days[n]));
  const columns = sums.map(([at, costs]) => ({ from: new Date(at), to: every.offset(new Date(at)), costs, all: d3.sum(costs) }));
  const rows = columns.flatMap((column) => {
    let below = 0;
    return column.costs.map((cost, n) => ({ ...column, n, low: below, high: (below += cost) })).filter((row) => row.high > row.low);
  });
  const isFine = d3.max(columns, (column) => column.all) < 0.1;
  const told = (column) => [
    `${name === "day" ? "" : `${name} from `}${column.from.toISOString().slice(0, 10)}  ${usd(column.all)}`,
    ...spend.models.map((model, n) => [model, column.costs[n]]).filter(([, cost]) => cost).map(([model, cost]) => `${model}  ${usd(cost)}`),
  ].join("\n");
  const least = 12 * DAY_MS;
  const [first, last] = [columns[0].from, columns.at(-1).to];
  const room = Math.max(least - (last - first), 0) / 2;
  return [
    legend(spend.models, spend.models.map((_, n) => colour(n))),
    plot({
      width,
      height: 260,
      marginLeft: 56,
      marginRight: 12,
      ariaLabel: `Spend by ${name}, stacked by model`,
      x: { type: "utc", label: null, domain: [new Date(+first - room), new Date(+last + room)], ticks: Math.max(Math.floor(width / 110), 2) },
      y: { label: null, grid: true, ticks: 5, tickFormat: (value) => usd(value, isFine) },
      marks: [
        Plot.rect(rows, { x1: "from", x2: "to", y1: "low", y2: "high", fill: (row) => colour(row.n), insetLeft: 0.5, insetRight: 0.5 }),
        Plot.ruleY([0]),
        Plot.tip(columns, Plot.pointerX({ x1: "from", x2: "to", x: (c) => new Date((+c.from + +c.to) / 2), y: "all", title: told, lineWidth: 40 })),
      ],
    }),
    element("p", { className: "note" }, `By ${name}, ${spend.zone}.${spend.undatedUsd ? ` ${usd(spend.undatedUsd)} of turns without a time is not shown.` : ""}`),
  ];
}

// One bar a fifth of a decade: how many runs (or dollars) there are at each cost.
function histogram(bins, domain, ranks, value, width) {
  const isRuns = value === "runs";
  const decades = d3.range(Math.log10(domain[0]), Math.log10(domain[1]) + 0.5).map((n) => Number(`1e${Math.round(n)}`));
  const step = Math.ceil((decades.length * 64) / width);
  const most = d3.max(bins, (bin) => bin[value]);
  const marks = [
    Plot.rect(bins.filter((bin) => bin[value]), { x1: "from", x2: "to", y1: 0, y2: value, fill: isRuns ? "var(--bar)" : "var(--c3)", inset: 0.5 }),
    Plot.ruleY([0]),
    Plot.ruleX(ranks, { x: "at", stroke: "var(--text)", strokeDasharray: "3 3" }),
    Plot.tip(bins.filter((bin) => bin.runs), Plot.pointerX({ x1: "from", x2: "to", y: value, title: (bin) => `${usd(bin.from)} to ${usd(bin.to)} a run\n${plural(bin.runs, "run")}, ${usd(bin.cost)}` })),
  ];
  if (isRuns) marks.push(...rankLabels(ranks, domain, width));
  return plot({
    width,
    height: isRuns ? 220 : 120,
    marginLeft: 56,
    marginRight: 14,
    marginTop: isRuns ? 44 : 8,
    ariaLabel: isRuns ? "Runs by what they cost" : "Dollars by what a run cost",
    x: { type: "log", domain, label: null, ticks: decades.filter((_, n) => n % step === 0), tickFormat: (at) => (at < 1 ? `$${at.toFixed(Math.round(-Math.log10(at)))}` : `$${count(at)}`) },
    y: { label: null, grid: true, ticks: d3.ticks(0, most, 4).filter((tick) => !isRuns || Number.isInteger(tick)), tickFormat: isRuns ? count : (tick) => usd(tick, most < 0.1) },
    marks,
  });
}

// Names the ranks above the bars, one above the other where they are too close.
function rankLabels(ranks, domain, width) {
  const scale = d3.scaleLog(domain, [0, width]);
  let line = 0;
  return ranks.map((rank, n) => {
    line = n && scale(rank.at) - scale(ranks[n - 1].at) < LABEL_WIDTH ? line + 1 : 0;
    const textAnchor = scale(rank.at) > width / 2 ? "end" : "start";
    return Plot.text([rank], { x: "at", text: "text", frameAnchor: "top", dy: -12 - 12 * line, textAnchor });
  });
}

function distributionChart(found, width) {
  const bins = found.bins.map(([from, to, runs, cost]) => ({ from, to, runs, cost }));
  const edges = [bins[0].from, bins.at(-1).to].map((edge) => Math.log10(edge));
  const domain = [10 ** Math.floor(edges[0] + 1e-9), 10 ** Math.ceil(edges[1] - 1e-9)];
  const known = Object.entries(found.ranks).filter(([, at]) => at > 0);
  const ranks = d3.groups(known, ([, at]) => at).map(([at, same]) => ({ at, text: `${same.map(([name]) => name).join(", ")} ${usd(at)}` }));
  const rest = [
    found.free ? `${plural(found.free, "run")} that cost nothing` : "",
    found.unpriced ? `${plural(found.unpriced, "run")} without a price` : "",
  ].filter(Boolean);
  return [
    element("p", { className: "axis" }, "Runs, by what each cost with its sub-agents"),
    histogram(bins, domain, ranks, "runs", width),
    element("p", { className: "axis" }, "Dollars that the runs of each bar cost together"),
    histogram(bins, domain, ranks, "cost", width),
    rest.length ? element("p", { className: "note" }, `Not shown: ${rest.join(", ")}.`) : "",
  ];
}

function growthChart(kinds, curve, width) {
  const rows = curve.turn.flatMap((turn, at) => kinds.map((kind, n) => ({ turn, n, tokens: curve.tokens[n][at] })));
  const turns = curve.turn.map((turn, at) => ({ turn, all: d3.sum(curve.tokens, (row) => row[at]), at }));
  const told = (row) => [`turn ${row.turn}: ${tokens(row.all)} tokens`, ...kinds.map((kind, n) => [kind, curve.tokens[n][row.at]]).filter(([, n]) => n).map(([kind, n]) => `${kind}  ${tokens(n)}`)].join("\n");
  const missed = curve.missed.map(([turn, prompt, lost, why]) => ({ turn, prompt, lost, why }));
  return plot({
    width,
    height: 180,
    marginLeft: 44,
    marginRight: 10,
    marginTop: 12,
    ariaLabel: `Prompt tokens of run ${curve.run}, turn by turn`,
    x: { label: null, ticks: Math.min(curve.turns - 1, 6), tickFormat: (turn) => (Number.isInteger(turn) ? count(turn) : "") },
    y: { label: null, grid: true, ticks: 4, tickFormat: tokens, domain: [0, curve.mostTokens * 1.05] },
    marks: [
      Plot.areaY(rows, Plot.stackY({ x: "turn", y: "tokens", z: "n", fill: (row) => `var(--k${row.n + 1})`, curve: "linear" })),
      Plot.ruleY([0]),
      Plot.dot(missed, { x: "turn", y: "prompt", symbol: "times", stroke: "var(--bad)", strokeWidth: 2, r: 4 }),
      Plot.ruleX(turns, Plot.pointerX({ x: "turn", stroke: "var(--faint)" })),
      Plot.tip(turns, Plot.pointerX({ x: "turn", y: "all", title: told, anchor: "top" })),
    ],
  });
}
