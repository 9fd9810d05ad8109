"use strict";
// Puts the data on the page, section by section.

const data = JSON.parse(document.getElementById("data").textContent);
const place = (name) => document.getElementById(name);
const FIRST_RULES = 3;
const paragraph = (text, className = "") => element("p", { className }, text);

function heading({ paths, sizes, prices, made }) {
  place("paths").textContent = paths || "report";
  place("sizes").textContent = [...sizes, prices].join(" · ");
  place("made").textContent = `${made} · ${prices} · one file, nothing is asked from the network`;
}

function bill({ bill: [before, amount, after], meters, facts }) {
  const bar = element("div", { className: "meters", "aria-hidden": "true" });
  const whole = d3.sum(meters, ([, cost]) => cost) / 100;
  const rows = meters.map(([word, cost, share], n) => {
    const part = element("span");
    part.style.flexGrow = cost / whole;
    part.style.background = colour(n);
    bar.append(part);
    const swatch = element("span", { className: "swatch" });
    swatch.style.background = colour(n);
    return element("tr", {}, element("th", { scope: "row" }, swatch, word), element("td", {}, usd(cost)), element("td", {}, percent(share)));
  });
  const list = facts.flatMap(([label, text, isWarning]) => [
    element("dt", {}, label),
    element("dd", { className: isWarning ? "warning" : "" }, text),
  ]);
  place("bill").append(
    element("h2", {}, "Billed"),
    element("p", { className: "amount" }, before ? element("span", { className: "warning" }, `${before} `) : "", amount),
    paragraph(after, "note"),
    ...(rows.length ? [element("h3", {}, "Where the money went"), bar, element("table", { className: "plain" }, element("tbody", {}, ...rows))] : []),
    element("dl", { className: "facts" }, ...list),
  );
}

const sentence = (text) => paragraph(`${text.charAt(0).toUpperCase()}${text.slice(1)}.`, "note");

function saved(levers, rules) {
  const card = place("saved");
  card.append(element("h2", {}, "With every lever"));
  if (levers.rows.length) {
    const figure = element("figure");
    card.append(paragraph(usd(levers.leftUsd), "amount good"), sentence(levers.order || "The levers pay only together"), figure);
    drawn(figure, (width) => waterfall(levers, width));
  } else card.append(paragraph(levers.billedUsd === null ? "Unknown: nothing here has a price." : "No lever would have saved half a percent of the bill.", "empty"));
  if (!rules.rows.length) return;
  const items = rules.rows.slice(0, FIRST_RULES).map((row) =>
    element("li", {}, element("span", { className: "cost" }, usd(row.usd)), element("span", {}, element("a", { href: "#rules" }, row.name), ` ${row.message}`)));
  card.append(element("h3", {}, "The most expensive findings"), element("ol", { className: "dearest" }, ...items));
}

function leverTable({ rows, caps, fine }, assumptions) {
  if (!rows.length) return;
  const titles = ["lever", "saves alone", "of the bill", "together", "risk", "runs", "the biggest part"];
  const kinds = ["name", "usd", "percent", "usd", "choice", "count", "prose"];
  const lines = rows.map((row) => {
    const cells = [row.alone, percent(row.share), usd(row.jointUsd, fine), row.risk, count(row.runs), row.biggest];
    return element("tr", {}, element("th", { scope: "row" }, row.lever), ...cells.map((cell, n) => element("td", { className: kinds[n + 1] }, cell)));
  });
  const head = element("tr", {}, ...titles.map((title, n) => element("th", { scope: "col", className: kinds[n] }, title)));
  const card = element("div", { className: "card" });
  card.append(element("div", { className: "scroller" }, element("table", {}, element("caption", { className: "unseen" }, "levers"), element("thead", {}, head), element("tbody", {}, ...lines))));
  if (caps) card.append(sentence(caps));
  if (assumptions.length) {
    const list = assumptions.map(([lever, text, source]) => element("li", {}, element("strong", {}, lever), `: ${text} `, element("span", { className: "note" }, `(${source})`)));
    card.append(element("details", {}, element("summary", {}, "What these savings take for granted"), element("ul", {}, ...list)));
  }
  place("levers").append(card);
}

function ruleCards({ rows, more }, findings) {
  const list = place("rules");
  if (!rows.length) {
    list.append(paragraph("No rule found anything.", "card empty"));
    return;
  }
  for (const row of rows) {
    const show = element("a", { href: "#findings" }, `${plural(row.findings, "finding")} in ${plural(row.runs, "run")}`);
    show.addEventListener("click", () => findings.choose("rule", row.name));
    list.append(element("article", { className: "card rule" },
      element("h3", {}, element("span", { className: `severity ${row.severity}` }, row.severity), row.name),
      paragraph(usd(row.usd), "cost"),
      paragraph(row.message),
      element("p", { className: "fix" }, element("strong", {}, "Fix: "), row.fix),
      show));
  }
  if (more) list.after(paragraph(`${plural(more, "more rule")} found something: see the findings below.`, "note"));
}

function spendSection(spend) {
  const figure = place("spend");
  if (!d3.sum(spend.usd, (row) => d3.sum(row))) figure.append(paragraph("No call has both a time and a price above nothing.", "empty"));
  else drawn(figure, (width) => spendChart(spend, width));
}

function distributionSection(found) {
  const figure = place("distribution");
  figure.before(element("h3", {}, "What a run costs"));
  if (!found.bins.length) figure.append(paragraph("No run has a price above nothing.", "empty"));
  else drawn(figure, (width) => distributionChart(found, width));
}

function growthSection({ kinds, curves, fine }) {
  const section = place("growth");
  section.before(element("h3", {}, "How the input of the most expensive runs and sub-agents grew"));
  if (!curves.length) {
    section.append(paragraph("No run has more than one call.", "card empty"));
    return;
  }
  const used = kinds.map((kind, n) => [kind, n]).filter(([, n]) => curves.some((curve) => curve.tokens[n].some(Boolean)));
  const names = legend(used.map(([kind]) => kind), used.map(([, n]) => `var(--k${n + 1})`));
  if (curves.some((curve) => curve.missed.length)) names.append(element("li", {}, element("span", { className: "bad" }, "✕ "), "missed the cache"));
  section.before(paragraph("Prompt tokens by turn, stacked by what they are made of.", "note"), names);
  for (const curve of curves) {
    const figure = element("figure");
    section.append(element("article", { className: "card" },
      element("h4", {}, element("span", {}, curve.run), element("span", {}, usd(curve.usd, fine))),
      paragraph(`${plural(curve.turns, "call")} · ${curve.task}`, "note clipped"),
      figure,
      curve.why ? paragraph(curve.why, "clipped") : ""));
    drawn(figure, (width) => growthChart(kinds, curve, width));
  }
}

function show() {
  heading(data.heading);
  bill(data.first);
  saved(data.levers, data.rules);
  const tables = {};
  for (const table of data.tables) {
    for (const column of table.columns) if (column.pool) column.texts = data.pools[column.pool];
    const card = place(`table-${table.name}`);
    if (card.closest(".tables")) card.append(element("h3", {}, table.words[0]));
    if (table.columns[0].values.length) tables[table.name] = new SortedTable(table, card);
    else card.append(paragraph(`No ${table.words[1]}.`, "empty"));
  }
  leverTable(data.levers, data.assumptions);
  ruleCards(data.rules, tables.findings);
  spendSection(data.spend);
  distributionSection(data.distribution);
  growthSection(data.growth);
}

show();
performance.mark("drawn");
