"use strict";
// Filters for the whole page: task, model and sub-agent of a run, and a text in its name or task.

const FACETS = ["task", "model", "agent"];

class Filters {
  constructor(place, facets, tables) {
    const { runs } = tables;
    const columns = Object.fromEntries(runs.columns.map((column) => [column.title, column]));
    this.tables = tables;
    this.run = columns.run;
    this.facets = FACETS.map((name) => {
      const { texts, runs: values, actions } = name === "task" ? { ...facets.task, texts: columns.task.texts, runs: columns.task.values } : facets[name];
      return { name, texts, values, actions };
    });
    this.task = this.facets[0];
    this.search = element("input", { type: "search", placeholder: "Run or task", "aria-label": "Only runs with this in their name or task" });
    this.search.addEventListener("input", () => this.choose("find", this.search.value, Boolean(address.read().find)));
    this.clear = element("button", { type: "button" }, "Clear");
    this.clear.addEventListener("click", () => address.go(Object.fromEntries([...FACETS, "find"].map((key) => [key, null])), { isMove: false }));
    this.status = element("p", { role: "status", className: "status" });
    this.lists = new Map(this.facets.map((facet) => [facet, this.list(facet)]));
    place.append(element("span", { className: "label" }, "Only"), ...this.lists.values(), this.search, this.clear, this.status);
  }

  // Values that few runs have are found by their text.
  list(facet) {
    const used = [...new Set(facet.values.flat())].slice(0, MOST_CHOICES).map((n) => facet.texts[n]);
    const list = element("select", { "aria-label": `Only ${facet.name}` }, new Option(`${facet.name}: any`, ""));
    for (const text of used) list.append(new Option(text || "(none)", text));
    list.addEventListener("change", () => this.choose(facet.name, list.value));
    list.hidden = used.length < (facet.name === "agent" ? 1 : 2);
    return list;
  }

  choose(name, text, replace = false) {
    address.go({ [name]: text }, { isMove: false, replace });
  }

  read(state) {
    const find = (state.find ?? "").toLowerCase();
    const chosen = this.facets.map((facet) => [facet, facet.texts.indexOf(state[facet.name])]).filter(([, n]) => n >= 0);
    if (find !== this.search.value.toLowerCase()) this.search.value = state.find ?? "";
    for (const [facet, list] of this.lists) {
      const text = chosen.some(([other]) => other === facet) ? state[facet.name] : "";
      list.value = text;
      if (list.value === text) continue;
      list.append(new Option(text, text));
      list.value = text;
    }
    const key = JSON.stringify([find, chosen.map(([{ name }, n]) => [name, n])]);
    if (key === this.key) return;
    this.key = key;
    this.narrow(chosen, find);
  }

  narrow(chosen, find) {
    const texts = (column) => column.texts.map((text) => text.toLowerCase().includes(find));
    const [names, tasks] = [texts(this.run), texts(this.task)];
    const accepts = (row) =>
      chosen.every(([{ values }, n]) => [values[row]].flat().includes(n)) &&
      (!find || names[this.run.values[row]] || tasks[this.task.values[row]]);
    const { runs, findings, actions } = this.tables;
    const isAny = !chosen.length && !find;
    runs.narrow(accepts);
    findings?.narrow((row) => isAny || (findings.table.of[row] !== null && accepts(findings.table.of[row])));
    actions?.narrow((row) => chosen.every(([facet, n]) => facet.actions[row]?.includes(n) ?? true));
    this.clear.hidden = isAny;
    const every = this.run.values.length;
    const some = d3.range(every).filter(accepts).length;
    this.status.textContent = isAny ? "narrows the tables of actions, runs and findings" : `${count(some)} of ${plural(every, "run")}`;
  }
}
