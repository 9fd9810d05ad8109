"use strict";
// How well the cache served over time: the share of input read from it, and below it what it missed.

const MINUTE_MS = 60000;
const HOUR_MS = 60 * MINUTE_MS;
const MISSES = [["rewritten", "written again"], ["plain", "sent again without the cache"]];
const MISS_COLOURS = ["var(--m2)", "var(--m3)"];

// The data put together to hours, days, weeks or months: whichever leaves bars that can be seen.
function cacheColumns({ unit, at, prompt, read, ...missed }, width) {
  const days = at.map((minutes) => new Date(minutes * MINUTE_MS));
  const [name, every] = unit === "hour" ? ["hour", d3.utcHour] : interval(days, width);
  const sums = d3.rollups(d3.range(days.length), (list) => {
    const sum = (values) => d3.sum(list, (n) => values[n]);
    return { prompt: sum(prompt), read: sum(read), rewritten: sum(missed.rewritten), plain: sum(missed.plain) };
  }, (n) => +every.floor(days[n]));
  const columns = sums.map(([from, sum]) => ({ ...sum, from: new Date(from), to: every.offset(new Date(from)), rate: sum.prompt ? sum.read / sum.prompt : null }));
  for (const column of columns) column.mid = new Date((+column.from + +column.to) / 2);
  return [name, columns];
}

function cacheChart(cache, width) {
  const [name, columns] = cacheColumns(cache, width);
  const [first, last] = [columns[0].from, columns.at(-1).to];
  const room = Math.max(12 * (name === "hour" ? HOUR_MS : DAY_MS) - (last - first), 0) / 2;
  const shared = {
    width,
    marginLeft: 56,
    marginRight: 12,
    x: { type: "utc", label: null, domain: [new Date(+first - room), new Date(+last + room)], ticks: Math.max(Math.floor(width / 110), 2) },
  };
  const when = (column) => `${name === "day" || name === "hour" ? "" : `${name} from `}${column.from.toISOString().slice(0, name === "hour" ? 16 : 10).replace("T", " ")}`;
  const told = (column) => [
    when(column),
    `${percent(column.rate)} of ${tokens(column.prompt)} tokens of input read from the cache`,
    ...MISSES.filter(([key]) => column[key]).map(([key, words]) => `${words}  ${tokens(column[key])}`),
  ].join("\n");
  const tip = (y) => Plot.tip(columns, Plot.pointerX({ x: "mid", y, title: told, lineWidth: 40 }));
  const bars = columns.flatMap((column) => {
    let below = 0;
    return MISSES.map(([key], n) => ({ ...column, n, low: below, high: (below += column[key]) })).filter((row) => row.high > row.low);
  });
  const rate = plot({
    ...shared,
    height: 170,
    marginTop: 12,
    ariaLabel: `Cache hit rate by ${name}`,
    y: { label: null, grid: true, domain: [0, 1], ticks: 5, tickFormat: percent },
    marks: [
      Plot.ruleY([0]),
      Plot.rect(columns, { x1: "from", x2: "to", y1: 0, y2: "rate", fill: "var(--m1)", insetLeft: 0.5, insetRight: 0.5 }),
      Plot.link(columns, { x1: "from", x2: "to", y1: "rate", y2: "rate", stroke: "var(--m1)", strokeWidth: 3 }),
      tip("rate"),
    ],
  });
  const isAny = bars.length > 0;
  const misses = plot({
    ...shared,
    height: 130,
    marginTop: 8,
    ariaLabel: `Tokens that missed the cache by ${name}`,
    y: { label: null, grid: true, ticks: 3, tickFormat: tokens },
    marks: [
      Plot.rect(bars, { x1: "from", x2: "to", y1: "low", y2: "high", fill: (row) => MISS_COLOURS[row.n], insetLeft: 0.5, insetRight: 0.5 }),
      Plot.ruleY([0]),
      tip((column) => column.rewritten + column.plain),
    ],
  });
  return [
    element("p", { className: "axis" }, "Input read from the cache"),
    rate,
    element("p", { className: "axis" }, "Tokens that had been sent before and were not read"),
    isAny ? legend(MISSES.map(([, words]) => words), MISS_COLOURS) : element("p", { className: "note" }, "None: what had been sent before was read from the cache."),
    ...(isAny ? [misses] : []),
    element("p", { className: "note" }, `By ${name}, ${cache.zone}.`),
  ];
}
