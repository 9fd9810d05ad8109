"use strict";
// What all pages share: the data, the heading, links to sections, and small elements.

const data = JSON.parse(document.getElementById("data").textContent);
const place = (name) => document.getElementById(name);
const paragraph = (text, className = "") => element("p", { className }, text);
const clipped = (text, className = "") => element("p", { className: `clipped ${className}`, title: text }, text);
const sentence = (text) => paragraph(`${text.charAt(0).toUpperCase()}${text.slice(1)}.`, "note");

function heading({ paths, sizes, prices, made }) {
  place("paths").textContent = paths || "report";
  place("sizes").textContent = [...sizes, prices].filter(Boolean).join(" · ");
  place("made").textContent = [made, prices, "one file, nothing is asked from the network"].filter(Boolean).join(" · ");
}

// Links to the sections, by their names.
function sections(words) {
  document.querySelector("nav").append(...Object.entries(words).map(([name, word]) => linkTo(toSection(name), word)));
}

// Gives the columns of a table their texts: those of one title are in all tables the same.
function withPools(table) {
  for (const column of table.columns) if (column.pool) column.texts = data.pools[column.pool];
}
