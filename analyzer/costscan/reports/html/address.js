"use strict";
// What is shown stands in the address, behind its "#": the run that is open, a turn of it, a section, and the filters.

const PAGE_KEYS = ["run", "thread", "turn"];
const address = { listeners: [], last: {} };

// The keys that have a value; a word alone is a section.
address.read = () => {
  const text = location.hash.slice(1);
  if (/^[\w-]+$/.test(text)) return { at: text };
  return Object.fromEntries([...new URLSearchParams(text)].filter(([, value]) => value));
};

// The address with some keys changed; the others stay, so that a link keeps the filters.
address.link = (changes) => {
  const kept = Object.entries({ ...address.read(), ...changes }).filter(([, value]) => value !== null && value !== "");
  return `#${new URLSearchParams(kept)}`;
};

address.tell = (isMove) => {
  address.last = address.read();
  for (const listener of address.listeners) listener(address.last, isMove);
};

// Goes there: a step that "back" takes back, unless it replaces the last one (as letters typed one by one do).
address.go = (changes, { isMove = true, replace = false } = {}) => {
  history[replace ? "replaceState" : "pushState"](null, "", address.link(changes));
  address.tell(isMove);
};

const toSection = (name) => ({ ...Object.fromEntries(PAGE_KEYS.map((key) => [key, null])), at: name, action: null });
const toRun = (run, turn = null, thread = null) => ({ run, turn, thread, at: null, action: null });

// A link within the page; where a new tab or window is asked for, the browser follows it by itself.
function linkTo(changes, ...children) {
  return follow(element("a", { href: address.link(changes) }, ...children), changes);
}

function follow(link, changes) {
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    address.go(changes);
  });
  return link;
}

// Back, forward, or an address typed in: where only filters changed, the page stays where it is.
window.addEventListener("popstate", () => {
  const [was, is] = [address.last, address.read()];
  address.tell([...PAGE_KEYS, "at"].some((key) => was[key] !== is[key]));
});
