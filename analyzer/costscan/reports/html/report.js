"use strict";
// Puts the data of an analysis on the page, section by section, and shows what the address says.

const FIRST_RULES = 3;

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
    element("li", {}, element("span", { className: "cost" }, usd(row.usd)), element("span", { title: row.message }, linkTo(toSection("rules"), row.name), ` ${row.message}`)));
  card.append(element("h3", {}, "The most expensive findings"), element("ol", { className: "dearest" }, ...items));
}

function leverTable({ rows, caps, fine }, assumptions) {
  if (!rows.length) return {};
  const column = (title, kind, name, more = {}) => ({ title, kind, give: 0, values: rows.map((row) => row[name]), fine, ...more });
  const texts = (title, kind, name, give = 0) => ({ title, kind, give, values: d3.range(rows.length), texts: rows.map((row) => row[name]) });
  const columns = [
    texts("lever", "name", "lever"),
    texts("saves alone", "spread", "alone"),
    column("of the bill", "percent", "share", { give: 2 }),
    column("together", "usd", "jointUsd", { give: 1 }),
    texts("risk", "name", "risk", 4),
    column("runs", "count", "runs", { give: 5 }),
    texts("the biggest part", "prose", "biggest", 3),
  ];
  const card = element("div", { className: "card" });
  const levers = new SortedTable({ name: "levers", words: ["lever", "levers"], sort: "of the bill", columns }, card);
  if (caps) card.append(sentence(caps));
  if (assumptions.length) {
    const list = assumptions.map(([lever, text, source]) => element("li", {}, element("strong", {}, lever), `: ${text} `, element("span", { className: "note" }, `(${source})`)));
    card.append(element("details", {}, element("summary", {}, "What these savings take for granted"), element("ul", {}, ...list)));
  }
  place("levers").append(card);
  return { levers };
}

function ruleCards({ rows, more }) {
  const list = place("rules");
  if (!rows.length) {
    list.append(paragraph("No rule found anything.", "card empty"));
    return;
  }
  for (const row of rows) {
    const show = linkTo({ ...toSection("findings"), "findings.rule": row.name }, `${plural(row.findings, "finding")} in ${plural(row.runs, "run")}`);
    list.append(element("article", { className: "card rule" },
      element("h3", {}, element("span", { className: `severity ${row.severity}` }, row.severity), row.name),
      paragraph(usd(row.usd), "cost"),
      paragraph(row.message),
      element("p", { className: "fix" }, element("strong", {}, "Fix: "), row.fix, copyButton(row.fix, `the fix of ${row.name}`)),
      show));
  }
  if (more) list.after(paragraph(`${plural(more, "more rule")} found something: see the findings below.`, "note"));
}

function spendSection(spend) {
  const figure = place("spend");
  if (!d3.sum(spend.usd, (row) => d3.sum(row))) figure.append(paragraph("No call has both a time and a price above nothing.", "empty"));
  else drawn(figure, (width) => spendChart(spend, width));
}

function cacheSection(cache) {
  const figure = place("cache");
  if (!d3.sum(cache.prompt)) figure.append(paragraph("No call has both a time and a count of its input.", "empty"));
  else drawn(figure, (width) => cacheChart(cache, width));
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
      element("h4", {}, element("span", { title: curve.run }, curve.run), element("span", {}, usd(curve.usd, fine))),
      clipped(`${plural(curve.turns, "call")} · ${curve.task}`, "note"),
      figure,
      curve.why ? clipped(curve.why) : ""));
    drawn(figure, (width) => growthChart(kinds, curve, width));
  }
}

const valueAt = (table, title, row) => valueOf(table.columns.find((column) => column.title === title), row);

function showTables() {
  const tables = {};
  const pages = () => tables.pages;
  const links = {
    runs: () => ({ run: (row) => pages().ofRow(row) }),
    findings: (table) => {
      const to = (row) => pages().ofFinding(table.of[row], valueAt(table, "run", row), valueAt(table, "turn", row));
      return { run: to, turn: to };
    },
  };
  const extra = {
    actions: (table) => (row) => pages().ofAction(row + 1, valueAt(table, "runs", row)),
  };
  tables.pages = { ofRow: () => null, ofFinding: () => null, ofAction: () => [] };
  for (const table of data.tables) {
    const card = place(`table-${table.name}`);
    if (card.closest(".tables")) card.append(element("h3", {}, table.words[0]));
    const more = { links: links[table.name]?.(table), extra: extra[table.name]?.(table) };
    if (table.columns[0].values.length) tables[table.name] = new SortedTable(table, card, more);
    else card.append(paragraph(`No ${table.words[1]}.`, "empty"));
  }
  if (tables.runs) tables.pages = new RunPages(data.pages, tables);
  return tables;
}

// The run that the address names, or all of them at the section it names.
function showState({ pages, filters, ...tables }, state, isMove) {
  const isRun = state.run !== undefined && pages instanceof RunPages;
  place("all").hidden = isRun;
  place("run").hidden = !isRun;
  filters?.read(state);
  for (const table of Object.values(tables)) table.read(state);
  if (isRun) {
    pages.show(state, isMove);
    return;
  }
  const action = Number(state.action) - 1;
  const line = tables.actions && tables.actions.rows().includes(action) ? tables.actions.reveal(action) : null;
  if (isMove) (line ?? place(state.at) ?? document.body).scrollIntoView({ block: line ? "center" : "start" });
}

function show() {
  for (const table of [...data.tables, data.pages.turns, data.pages.findings]) withPools(table);
  heading(data.heading);
  bill(data.first);
  saved(data.levers, data.rules);
  const tables = showTables();
  Object.assign(tables, leverTable(data.levers, data.assumptions));
  ruleCards(data.rules);
  spendSection(data.spend);
  cacheSection(data.cache);
  distributionSection(data.distribution);
  growthSection(data.growth);
  if (tables.runs) tables.filters = new Filters(place("filters"), data.facets, tables);
  sections({ overview: "Overview", actions: "Actions", fixes: "Fixes", time: "Over time", runs: "Runs", findings: "Findings", divided: "The bill by" });
  address.listeners.push((state, isMove) => showState(tables, state, isMove));
  address.tell(Boolean(location.hash));
}

show();
performance.mark("drawn");
