"use strict";
// The page of a run: its cost, its turns, what their prompts carried, what was found in it, and what would save.

const MOST_ACTIONS = 12;
const MOST_BANDS = 200;

class RunPages {
  constructor(data, tables) {
    Object.assign(this, { data, tables, pages: data.runs, byRow: new Map(data.runs.map((page) => [page.row, page])) });
    this.classes = data.classes;
    const ofRuns = Object.fromEntries(tables.runs.columns.map((column) => [column.title, column]));
    this.fact = (page, title) => (ofRuns[title] ? written(ofRuns[title], page.row) : UNKNOWN);
    this.number = (page, title) => ofRuns[title].values[page.row];
  }

  // An id or the beginning of one, as far as one run alone has it.
  find(name) {
    const alike = this.pages.filter((page) => page.id.startsWith(name) || this.name(page) === name);
    return alike.find((page) => page.id === name) ?? (alike.length === 1 ? alike[0] : undefined);
  }

  name(page) {
    return this.fact(page, "run");
  }

  // Where the run of a row in the table of runs is shown; null where it has no page.
  ofRow(row) {
    const page = this.byRow.get(row);
    return page ? toRun(page.id) : null;
  }

  // Where a finding is shown: at its turn, in the thread it was found in.
  ofFinding(row, thread, turn) {
    const page = this.byRow.get(row);
    if (!page) return null;
    const at = page.threads.findIndex(({ name }) => name === thread);
    return at < 0 ? toRun(page.id) : toRun(page.id, String(turn), at ? thread : null);
  }

  // The runs that an action changes, those with a page: what it saves of each.
  ofAction(rank, runs) {
    const some = this.pages.flatMap((page) => page.saved.filter(([other]) => other === rank).map(([, saved]) => [page, saved]));
    if (!some.length) return [];
    const links = some.sort((a, b) => b[1] - a[1]).slice(0, MOST_ACTIONS).map(([page, saved]) =>
      element("li", {}, linkTo(toRun(page.id), this.name(page)), ` ${usd(saved)}`));
    const rest = runs - links.length;
    if (rest > 0) links.push(element("li", { className: "note" }, plural(rest, "more run")));
    return [["its runs", element("ul", { className: "inline" }, ...links)]];
  }

  show(state, isMove) {
    const place = document.getElementById("run");
    const page = this.find(state.run);
    const key = JSON.stringify([state.run, state.thread, state.unit]);
    if (key !== this.key) {
      place.replaceChildren(linkTo(toSection("runs"), "← All runs"), ...(page ? [] : this.none(state.run)));
      this.shown = page ? new RunPage(this, page, place, state) : null;
    }
    this.key = key;
    this.shown?.read(state);
    this.shown?.goTo(state.turn, isMove);
  }

  none(name) {
    return [
      element("h2", {}, name),
      element("p", { className: "card empty" }, `No page for this run: only the ${this.data.most} most expensive runs have one, as far as their turns find room. costscan explain tells of any run.`),
    ];
  }
}

class RunPage {
  constructor(pages, page, place, state) {
    Object.assign(this, { pages, page, place, here: null });
    this.at = Math.max(page.threads.findIndex(({ name }) => name === state.thread), 0);
    this.isUsd = state.unit === "usd";
    this.threads = page.threads.map((thread) => this.thread(thread));
    this.header();
    this.charts(state);
    this.turns();
    this.found();
    this.actions();
  }

  thread({ turns, carried, ...rest }) {
    const { data } = this.pages;
    const table = slice(data.turns, turns);
    const columns = Object.fromEntries(table.columns.map((column) => [column.title, column.values]));
    const classes = this.isUsd ? [...this.pages.classes, "web searches"] : this.pages.classes;
    const stacks = classes.map((name) => columns[this.isUsd ? `${name} cost` : name]).filter(Boolean);
    const part = (name) => data.carried[name].slice(carried[0], carried[0] + carried[1]);
    const [kind, from, to, size, message] = ["kind", "from", "to", "tokens", "message"].map(part);
    const bands = kind.map((n, row) => ({ kind: n, from: from[row], to: to[row], tokens: size[row], message: message[row] }));
    const mostTokens = d3.max(columns.turn, (_, row) => d3.sum(this.pages.classes, (name) => columns[name][row] ?? 0));
    return { ...rest, table, turns: columns.turn, missed: columns.missed, stacks, bands, mostTokens, classes };
  }

  header() {
    const { pages, page } = this;
    const saved = d3.sum(page.saved, ([, usdSaved]) => usdSaved);
    const cost = pages.number(page, "cost");
    const facts = [
      ["cost", pages.fact(page, "cost")],
      ["could be", saved > 0 && cost !== null ? `${usd(cost - saved)} with all actions` : ""],
      ["calls", pages.fact(page, "calls")],
      ["cache hits", pages.fact(page, "cached")],
      ["model", pages.fact(page, "model")],
      ["began", pages.fact(page, "started")],
    ].filter(([, text]) => text && text !== UNKNOWN);
    const id = page.id === pages.name(page) ? "" : ` · ${page.id}`;
    this.place.append(
      element("h2", { tabIndex: -1 }, `Run ${pages.name(page)}`),
      element("p", { className: "note" }, `${pages.fact(page, "task")}${id}`),
      this.leftOut(),
      element("dl", { className: "card figures" }, ...facts.map(([word, text]) => element("div", {}, element("dt", {}, word), element("dd", {}, text)))));
  }

  // What of the run is not on its page.
  leftOut() {
    const { calls, turns } = this.threads[this.at];
    const parts = [
      calls > turns.length ? `The first ${count(turns.length)} of ${plural(calls, "call")} are shown.` : "",
      this.page.missing ? `Not on this page: ${this.page.missing}.` : "",
    ].filter(Boolean);
    return parts.length ? element("p", { className: "note" }, parts.join(" ")) : "";
  }

  charts(state) {
    const { pages, threads, at, isUsd } = this;
    const units = [["", "tokens"], ["usd", "dollars"]].map(([unit, word]) => {
      const button = element("button", { type: "button", "aria-pressed": String((state.unit ?? "") === unit) }, word);
      button.addEventListener("click", () => this.change({ unit }, `[aria-pressed="true"]`));
      return button;
    });
    const controls = element("div", { className: "controls" }, element("span", { className: "units", role: "group", "aria-label": "Unit" }, ...units));
    if (threads.length > 1) controls.prepend(this.picker());
    const { classes } = threads[at];
    const [bars, carried] = [element("figure"), element("figure")];
    const marks = threads[at].missed.some(Boolean) ? element("li", {}, element("span", { className: "bad" }, "✕ "), "missed the cache") : "";
    const names = legend(classes.slice(0, threads[at].stacks.length), CLASS_COLOURS);
    names.append(marks);
    const used = new Set(threads[at].bands.map((band) => band.kind));
    const kinds = pages.data.bands.map((word, n) => [word, n]).filter(([, n]) => used.has(n));
    this.place.append(
      element("h3", {}, `What each turn was billed for, in ${isUsd ? "dollars" : "tokens"}`),
      element("div", { className: "card" }, controls, names, bars),
      element("h3", {}, "What each prompt carried, in tokens"),
      element("div", { className: "card" },
        element("p", { className: "note" }, "A column is the prompt of a turn, a band what it sent: tools and system below, then messages by the turn they came in. The area of a band is what was sent of it in all."),
        legend(kinds.map(([word]) => word), kinds.map(([, n]) => BAND_COLOURS[n])),
        threads[at].bands.length ? carried : element("p", { className: "empty" }, "The log does not tell what was sent."),
        this.bands()));
    this.draw = [
      drawn(bars, (width) => turnChart(threads, at, { classes, isUsd, here: this.here }, width)),
      threads[at].bands.length ? drawn(carried, (width) => carriedChart(threads, at, { bands: pages.data.bands, here: this.here }, width)) : () => {},
    ];
  }

  picker() {
    const list = element("select", { "aria-label": "Thread" });
    this.threads.forEach(({ name, agent, usd: cost, calls }, n) =>
      list.append(new Option(`${n || !agent ? agent || "main thread" : agent} ${n ? name : ""} · ${usd(cost)} · ${plural(calls, "call")}`, n ? name : "")));
    list.value = this.at ? this.threads[this.at].name : "";
    list.addEventListener("change", () => this.change({ thread: list.value, turn: null }, "select"));
    return list;
  }

  // The page is drawn anew: what had the focus has it again.
  change(changes, focused) {
    address.go(changes, { isMove: false });
    this.place.querySelector(focused)?.focus();
  }

  bands() {
    const { bands } = this.threads[this.at];
    const some = [...bands].sort((a, b) => b.tokens * (b.to - b.from) - a.tokens * (a.to - a.from)).slice(0, MOST_BANDS);
    const details = element("details", {}, element("summary", {}, "As a table"));
    const column = (title, kind, of, more = {}) => ({ title, kind, give: 0, values: some.map(of), ...more });
    const columns = [
      column("what", "choice", (band) => band.kind, { texts: this.pages.data.bands }),
      column("from turn", "count", (band) => band.from, { give: 1 }),
      column("tokens", "tokens", (band) => band.tokens, { give: 2 }),
      column("in prompts", "count", (band) => band.to - band.from, { give: 3 }),
      column("sent in all", "tokens", (band) => band.tokens * (band.to - band.from)),
    ];
    const table = { name: "carried", words: ["part", "parts"], sort: "sent in all", columns };
    if (some.length) this.carried = new SortedTable(table, details);
    return some.length ? details : "";
  }

  turns() {
    const card = element("div", { className: "card" });
    this.table = new SortedTable(this.threads[this.at].table, card);
    this.place.append(element("h3", {}, "Turns"), card);
  }

  found() {
    const { page, pages } = this;
    const card = element("div", { className: "card" });
    this.place.append(element("h3", {}, "Findings"), card);
    const [, many] = page.findings;
    if (!many) {
      card.append(element("p", { className: "empty" }, "No rule sees waste in this run."));
      return;
    }
    const note = page.found > many ? `The most expensive ${many} of ${count(page.found)}.` : "";
    const table = slice(pages.data.findings, page.findings, { note });
    const [thread, turn] = ["run", "turn"].map((title) => table.columns.find((column) => column.title === title));
    const to = (row) => pages.ofFinding(page.row, valueOf(thread, row), turn.values[row]);
    this.findings = new SortedTable(table, card, { links: { turn: to, rule: to } });
  }

  actions() {
    const { saved } = this.page;
    const card = element("div", { className: "card" });
    this.place.append(element("h3", {}, "Actions"), card);
    const { actions } = this.pages.tables;
    if (!saved.length || !actions) {
      card.append(element("p", { className: "empty" }, "No action changes this run."));
      return;
    }
    const titles = actions.columns.find((column) => column.title === "do");
    const items = saved.map(([rank, amount]) =>
      element("li", {}, element("span", { className: "cost" }, usd(amount)), element("span", {}, linkTo({ ...toSection("actions"), action: String(rank) }, valueOf(titles, rank - 1)))));
    card.append(element("p", { className: "note" }, "What each saves of this run, after those before it."), element("ol", { className: "dearest whole" }, ...items));
  }

  read(state) {
    for (const table of [this.table, this.findings, this.carried]) table?.read(state);
  }

  // Shows a turn: its row, and where it is in the charts.
  goTo(turn, isMove) {
    const row = turn === undefined ? -1 : this.threads[this.at].turns.indexOf(Number(turn));
    const here = row < 0 ? null : Number(turn);
    if (here !== this.here) {
      this.here = here;
      for (const again of this.draw) again();
    }
    const line = here === null ? null : this.table.reveal(row);
    if (!isMove) return;
    if (line) line.scrollIntoView({ block: "center" });
    else window.scrollTo(0, 0);
    (line?.querySelector("button") ?? this.place.querySelector("h2")).focus({ preventScroll: true });
  }
}
