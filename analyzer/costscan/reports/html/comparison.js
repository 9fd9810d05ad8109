"use strict";
// Puts the data of a comparison on the page: the verdict, what moved the bill, and what changed.

const CAUSE_HEIGHT = 38;
const EMPTY = {
  limits: "No limit was set.",
  why: "Nothing moved.",
  typical: "There are no runs of the same task on both sides, or nothing of them moved.",
  task: "There is no baseline.",
  model: "There is no baseline.",
  tool: "There is no baseline.",
  actions: "No action is known of both sides: a report of earlier logs holds none, so compare the logs themselves.",
  findings: "No finding is new or gone.",
};

function verdict({ bill, closing, outcome, sides, differences }) {
  const list = sides.flatMap(([word, text]) => [element("dt", {}, word), element("dd", {}, text)]);
  const different = differences.length
    ? [element("h3", {}, "The two sides differ in more than their runs"), element("ul", { className: "warning" }, ...differences.map((text) => element("li", {}, text)))]
    : [];
  place("verdict").append(
    element("h2", {}, "The bill"),
    paragraph(bill, "amount moved"),
    closing ? paragraph(closing, `verdict ${outcome}`) : "",
    element("dl", { className: "facts" }, ...list),
    ...different,
  );
}

// What each cause added to the bill, to the right, or took from it, to the left.
function causeChart(causes, width) {
  const rows = causes.map(([name, amount]) => ({ name, amount, told: signed(amount, { fine: Math.abs(amount) < 0.1 }) }));
  const [low, high] = [Math.min(0, d3.min(rows, (row) => row.amount)), Math.max(0, d3.max(rows, (row) => row.amount))];
  const room = (high - low) * Math.min(0.6, 75 / (width * 0.6));
  const margin = Math.min(190, Math.floor(width * 0.38));
  const label = (isMore) => Plot.text(rows.filter((row) => row.amount > 0 === isMore), {
    y: "name", x: "amount", text: "told", fontWeight: 600, dx: isMore ? 6 : -6, textAnchor: isMore ? "start" : "end",
  });
  return plot({
    width,
    height: CAUSE_HEIGHT * rows.length + 10,
    marginLeft: margin,
    marginRight: 8,
    marginTop: 4,
    marginBottom: 4,
    ariaLabel: "What moved the bill, cause by cause",
    x: { axis: null, domain: [low < 0 ? low - room : 0, high > 0 ? high + room : 0] },
    y: { domain: rows.map((row) => row.name), axis: null, padding: 0.25 },
    marks: [
      Plot.axisY({ label: null, tickSize: 0, lineWidth: margin / 12.5 }),
      Plot.barX(rows, { y: "name", x: "amount", fill: (row) => (row.amount > 0 ? "var(--bad)" : "var(--saved)"), rx: 2 }),
      Plot.ruleX([0]),
      label(true),
      label(false),
    ],
  });
}

function causes(rows) {
  const card = place("causes");
  card.append(element("h2", {}, "What moved it"));
  if (!rows.length) {
    card.append(paragraph(data.verdict.hasBefore ? "The bill is as before." : "There is no baseline.", "empty"));
    return;
  }
  const figure = element("figure");
  const details = rows.filter(([, , detail]) => detail).map(([name, , detail]) => element("li", {}, element("strong", {}, name), `: ${detail}`));
  card.append(figure, details.length ? element("ul", { className: "note" }, ...details) : "");
  drawn(figure, (width) => causeChart(rows, width));
}

function showComparison() {
  data.tables.forEach(withPools);
  heading(data.heading);
  verdict(data.verdict);
  causes(data.causes);
  const tables = [];
  for (const table of data.tables) {
    const card = place(`table-${table.name}`);
    if (card.closest(".tables")) card.append(element("h3", {}, `By ${table.name}`));
    if (table.columns[0].values.length) tables.push(new SortedTable(table, card));
    else card.append(paragraph(EMPTY[table.name], "empty"));
  }
  sections({ overview: "Overview", limits: "Limits", why: "Why", typical: "A typical run", divided: "What changed", actions: "Actions", findings: "Findings" });
  address.listeners.push((state, isMove) => {
    for (const table of tables) table.read(state);
    if (isMove) (place(state.at) ?? document.body).scrollIntoView();
  });
  address.tell(Boolean(location.hash));
}

showComparison();
performance.mark("drawn");
