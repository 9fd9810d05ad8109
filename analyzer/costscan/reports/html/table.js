"use strict";
// A table that sorts and filters; only one page of its rows is ever in the document.
// What is chosen in it stands in the address, so that it can be linked to and taken back.

const PAGE_ROWS = 25;
const FEW_ROWS = 5;
const MOST_CHOICES = 200;
const ALL_COLUMNS = 6;
const WRITTEN = {
  usd: (value, column) => usd(value, column.fine),
  tokens,
  count,
  percent,
  time: minute,
  change: signed,
};
const isText = (column) => "texts" in column;
const valueOf = (column, row) => (isText(column) ? column.texts[column.values[row]] : column.values[row]);
const written = (column, row) => (WRITTEN[column.kind] ?? String)(valueOf(column, row), column);

// The rows of a table from one on, as a table of their own.
function slice(table, [first, many], more = {}) {
  const columns = table.columns.map((column) => {
    const values = column.values.slice(first, first + many);
    if (column.kind !== "choice") return { ...column, values };
    const used = [...new Set(values)];
    return { ...column, texts: used.map((n) => column.texts[n]), values: values.map((n) => used.indexOf(n)) };
  });
  return { ...table, columns, ...more };
}

class SortedTable {
  // links: by the title of a column, where a row leads to; extra: further parts of an opened row.
  constructor(table, place, { links = {}, extra = () => [] } = {}) {
    Object.assign(this, { table, place, links, extra, columns: table.columns, page: 0, query: "", chosen: new Map(), open: new Set() });
    this.accepts = () => true;
    this.sort = this.columns.find((column) => column.title === table.sort);
    this.isDown = this.sort && !isText(this.sort) && !table.rises;
    this.body = element("tbody");
    this.status = element("p", { role: "status", className: "status" });
    const controls = this.controls();
    controls.hidden = this.columns[0].values.length <= FEW_ROWS;
    place.append(controls, this.frame(), this.pager());
    if (table.note) place.append(element("p", { className: "note" }, table.note));
    this.show();
  }

  controls() {
    const [, many] = this.table.words;
    this.search = element("input", { type: "search", placeholder: `Filter ${many}`, "aria-label": `Filter ${many}` });
    this.search.addEventListener("input", () => this.choose("find", this.search.value, this.query !== ""));
    const lists = this.columns.filter((c) => c.kind === "choice" && c.texts.length > 1 && c.texts.length <= MOST_CHOICES);
    this.lists = new Map(lists.map((column) => [column, this.list(column)]));
    return element("div", { className: "controls" }, this.search, ...this.lists.values());
  }

  list(column) {
    const options = column.texts.map((text, n) => [text || "(none)", n]).sort((a, b) => (a[0] < b[0] ? -1 : 1));
    const list = element("select", { "aria-label": `Only ${column.title}` }, new Option(`${column.title}: any`, ""));
    for (const [text, n] of options) list.append(new Option(text, n));
    list.addEventListener("change", () => this.choose(column.title, list.value === "" ? "" : column.texts[list.value] || "(none)"));
    return list;
  }

  choose(title, text, replace = false) {
    address.go({ [`${this.table.name}.${title}`]: text }, { isMove: false, replace });
  }

  // Takes what is chosen from the address.
  read(state) {
    const told = (title) => state[`${this.table.name}.${title}`] ?? "";
    const query = told("find").toLowerCase();
    if (query !== this.search.value.toLowerCase()) this.search.value = told("find");
    const chosen = new Map();
    for (const [column, list] of this.lists) {
      const n = column.texts.findIndex((text) => (text || "(none)") === told(column.title));
      list.value = n < 0 ? "" : n;
      if (n >= 0) chosen.set(column, n);
    }
    const isSame = query === this.query && [...this.lists.keys()].every((column) => chosen.get(column) === this.chosen.get(column));
    if (!isSame) this.change({ query, chosen });
  }

  // Shows only rows that something else accepts too.
  narrow(accepts) {
    this.change({ accepts });
  }

  // Turns to the page of a row and marks it.
  reveal(row) {
    const at = this.rows().indexOf(row);
    this.change({ here: row, page: Math.max(Math.floor(at / PAGE_ROWS), 0) });
    return this.body.querySelector("tr.here");
  }

  frame() {
    this.heads = this.columns.filter((column) => !column.onDemand).map((column) => {
      const button = element("button", { type: "button" }, column.title);
      button.addEventListener("click", () => {
        const isDown = column === this.sort ? !this.isDown : !isText(column);
        this.change({ sort: column, isDown });
      });
      return [column, element("th", { scope: "col", className: this.looks(column) }, button)];
    });
    const opener = element("th", { className: "opener" }, element("span", { className: "unseen" }, "More"));
    const head = element("thead", {}, element("tr", {}, opener, ...this.heads.map(([, th]) => th)));
    const caption = element("caption", { className: "unseen" }, this.table.words[1]);
    const isDeep = this.columns.some((column) => column.onDemand);
    this.grid = element("table", { className: isDeep ? "deep" : "" }, caption, head, this.body);
    const frame = element("div", { className: "fitted" }, this.grid);
    new ResizeObserver(() => requestAnimationFrame(() => this.fit())).observe(frame);
    return frame;
  }

  // Lets columns give way, the most willing first, until the table is as narrow as its place.
  fit() {
    const room = this.grid.parentElement.clientWidth;
    for (let level = ALL_COLUMNS; level > 0 && room; level--) {
      this.grid.dataset.fit = level;
      if (this.grid.offsetWidth <= room) return;
    }
  }

  looks(column) {
    return `${column.kind} give${column.give}`;
  }

  pager() {
    const step = (label, by) => {
      const button = element("button", { type: "button" }, label);
      button.addEventListener("click", () => this.change({ page: this.page + by }));
      return button;
    };
    this.back = step("Previous", -1);
    this.next = step("Next", 1);
    return element("div", { className: "pager" }, this.status, this.back, this.next);
  }

  change(what) {
    Object.assign(this, { page: 0, open: new Set() }, what);
    this.show();
  }

  rows() {
    const { query, sort } = this;
    const length = this.columns[0].values.length;
    const texts = this.columns.filter(isText);
    const hits = texts.map((column) => column.texts.map((text) => text.toLowerCase().includes(query)));
    const found = [];
    for (let row = 0; row < length; row++) {
      if (!this.accepts(row)) continue;
      if ([...this.chosen].some(([column, n]) => column.values[row] !== n)) continue;
      if (!query || texts.some((column, n) => hits[n][column.values[row]])) found.push(row);
    }
    if (!sort) return found;
    const ranks = isText(sort) ? this.alphabetical(sort) : sort.values;
    const sign = this.isDown ? -1 : 1;
    return found.sort((a, b) => {
      const [left, right] = [ranks[isText(sort) ? sort.values[a] : a], ranks[isText(sort) ? sort.values[b] : b]];
      if (left === right) return a - b;
      if (left === null || right === null) return left === null ? 1 : -1;
      return sign * (left - right);
    });
  }

  alphabetical(column) {
    const ranks = [];
    column.texts.map((text, n) => [text, n]).sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0)).forEach(([, n], rank) => (ranks[n] = rank));
    return ranks;
  }

  show() {
    const found = this.rows();
    const first = this.page * PAGE_ROWS;
    const shown = found.slice(first, first + PAGE_ROWS);
    for (const [column, head] of this.heads) {
      if (column === this.sort) head.setAttribute("aria-sort", this.isDown ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
    this.body.replaceChildren(...shown.flatMap((row) => this.row(row)));
    this.status.textContent = this.told(found, first, shown.length);
    this.back.disabled = first === 0;
    this.next.disabled = first + PAGE_ROWS >= found.length;
    this.back.hidden = this.next.hidden = found.length <= PAGE_ROWS;
    this.fit();
  }

  told(found, first, shown) {
    const [one, many] = this.table.words;
    if (!found.length) return `no ${many}${this.columns[0].values.length ? " like that" : ""}`;
    const range = shown < found.length ? `${count(first + 1)}-${count(first + shown)} of ` : "";
    const cost = this.columns.find((column) => column.title === this.table.total);
    const known = cost ? found.map((row) => cost.values[row]).filter((value) => value !== null) : [];
    return range + plural(found.length, one, many) + (known.length ? `, ${usd(known.reduce((a, b) => a + b, 0))}` : "");
  }

  row(row) {
    const open = element("button", { type: "button", "aria-label": "More of this row", "aria-expanded": this.open.has(row) });
    open.addEventListener("click", () => this.toggle(row));
    const cells = this.columns.filter((column) => !column.onDemand).map((column) => this.cell(column, row));
    const line = element("tr", { className: row === this.here ? "here" : "" }, element("td", { className: "opener" }, open), ...cells);
    return this.open.has(row) ? [line, this.more(row)] : [line];
  }

  // A text that is cut is whole in its title.
  cell(column, row) {
    const text = written(column, row);
    const to = this.links[column.title]?.(row);
    const span = element("span", { title: isText(column) ? text : "" }, to ? linkTo(to, text) : text);
    const cell = element("td", { className: this.looks(column) }, span);
    if (column.kind === "choice") cell.dataset.value = valueOf(column, row);
    return cell;
  }

  toggle(row) {
    if (!this.open.delete(row)) this.open.add(row);
    this.show();
    const place = [...this.body.querySelectorAll("tr:not(.more)")][this.rows().slice(this.page * PAGE_ROWS).indexOf(row)];
    place.querySelector("button").focus();
  }

  // What a row does not show: what is too long for it, what is kept for this, and columns that gave way.
  more(row) {
    const ranked = [...this.columns].sort((a, b) => Boolean(b.onDemand) - Boolean(a.onDemand));
    const parts = ranked.flatMap((column) => {
      const text = written(column, row);
      if (!text || text === UNKNOWN) return [];
      const className = column.onDemand || column.pool ? "" : `spare spare${column.give}`;
      const copy = column.copy ? copyButton(text, `the fix: ${text.slice(0, 40)}`) : "";
      return [element("dt", { className }, column.title), element("dd", { className }, text, copy)];
    });
    const extra = this.extra(row).flatMap(([title, ...nodes]) => [element("dt", {}, title), element("dd", {}, ...nodes)]);
    return element("tr", { className: "more" }, element("td", { colSpan: this.heads.length + 1 }, element("dl", {}, ...parts, ...extra)));
  }
}
