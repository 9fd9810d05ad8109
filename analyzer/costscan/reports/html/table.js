"use strict";
// A table that sorts and filters; only one page of its rows is ever in the document.

const PAGE_ROWS = 25;
const FEW_ROWS = 5;
const MOST_CHOICES = 200;
const WRITTEN = {
  usd: (value, column) => usd(value, column.fine),
  tokens,
  count,
  percent,
  time: minute,
};
const isText = (column) => "texts" in column;
const valueOf = (column, row) => (isText(column) ? column.texts[column.values[row]] : column.values[row]);
const written = (column, row) => (WRITTEN[column.kind] ?? String)(valueOf(column, row), column);

class SortedTable {
  constructor(table, place) {
    Object.assign(this, { table, place, columns: table.columns, page: 0, query: "", chosen: new Map(), open: new Set() });
    this.sort = this.columns.find((column) => column.title === table.sort);
    this.isDown = !isText(this.sort);
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
    const search = element("input", { type: "search", placeholder: `Filter ${many}`, "aria-label": `Filter ${many}` });
    search.addEventListener("input", () => this.change({ query: search.value.toLowerCase() }));
    const lists = this.columns.filter((c) => c.kind === "choice" && c.texts.length > 1 && c.texts.length <= MOST_CHOICES);
    this.lists = new Map(lists.map((column) => [column.title, this.list(column)]));
    return element("div", { className: "controls" }, search, ...this.lists.values());
  }

  list(column) {
    const options = column.texts.map((text, n) => [text || "(none)", n]).sort((a, b) => (a[0] < b[0] ? -1 : 1));
    const list = element("select", { "aria-label": `Only ${column.title}` }, new Option(`${column.title}: any`, ""));
    for (const [text, n] of options) list.append(new Option(text, n));
    list.addEventListener("change", () => {
      if (list.value === "") this.chosen.delete(column);
      else this.chosen.set(column, Number(list.value));
      this.change({});
    });
    return list;
  }

  // Shows only the rows with a text in a column, chosen from elsewhere on the page.
  choose(title, text) {
    const list = this.lists.get(title);
    const column = this.columns.find((found) => found.title === title);
    if (!list) return;
    list.value = column.texts.indexOf(text);
    list.dispatchEvent(new Event("change"));
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
    return element("div", { className: "scroller" }, element("table", { className: isDeep ? "deep" : "" }, caption, head, this.body));
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
      if ([...this.chosen].some(([column, n]) => column.values[row] !== n)) continue;
      if (!query || texts.some((column, n) => hits[n][column.values[row]])) found.push(row);
    }
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
    const cells = this.columns.filter((column) => !column.onDemand).map((column) => {
      const cell = element("td", { className: this.looks(column) }, element("span", {}, written(column, row)));
      if (column.kind === "choice") cell.dataset.value = valueOf(column, row);
      return cell;
    });
    const line = element("tr", {}, element("td", { className: "opener" }, open), ...cells);
    return this.open.has(row) ? [line, this.more(row)] : [line];
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
      return [element("dt", { className }, column.title), element("dd", { className }, text)];
    });
    return element("tr", { className: "more" }, element("td", { colSpan: this.heads.length + 1 }, element("dl", {}, ...parts)));
  }
}
