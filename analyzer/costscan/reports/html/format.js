"use strict";
// Numbers as the terminal writes them (reports/wording.py).

const UNKNOWN = "-";
const even = (options) => new Intl.NumberFormat("en-US", { roundingMode: "halfEven", ...options });
const cents = even({ minimumFractionDigits: 2, maximumFractionDigits: 2 });
const fineCents = even({ minimumFractionDigits: 4, maximumFractionDigits: 4 });
const whole = even({ maximumFractionDigits: 0 });
const evenThree = even({ maximumSignificantDigits: 3, useGrouping: false });

// Of two numbers that are as near the even one; what only looks like a tie in decimals is none.
function threeDigits(number) {
  const rest = number.toPrecision(20).replace(".", "").replace(/^0+/, "").slice(3);
  return /^50*$/.test(rest) ? evenThree.format(number) : String(Number(number.toPrecision(3)));
}

function usd(amount, isFine = Math.abs(amount) < 0.1) {
  if (amount === null) return UNKNOWN;
  if (amount === 0) return "$0.00";
  const shown = (isFine ? fineCents : cents).format(Math.abs(amount));
  if (/^[0.]+$/.test(shown)) return `${amount > 0 ? "<$" : ">-$"}${isFine ? "0.0001" : "0.01"}`;
  return `${amount < 0 ? "-$" : "$"}${shown}`;
}

// A change of dollars, with its sign.
function signed(amount, column) {
  return amount > 0 ? `+${usd(amount, column?.fine)}` : usd(amount, column?.fine);
}

function percent(share) {
  if (share === null) return UNKNOWN;
  if (share > 0 && share < 0.005) return "<1%";
  if (share >= 0.995 && share < 1) return ">99%";
  return `${whole.format(share * 100)}%`;
}

function count(number) {
  return number === null ? UNKNOWN : whole.format(number);
}

function tokens(number) {
  if (number === null) return UNKNOWN;
  if (number < 999.5) return count(number);
  for (const unit of ["k", "M", "G"]) {
    number /= 1000;
    if (number < 100) return `${threeDigits(number)}${unit}`;
    if (number < 999.5 || unit === "G") return `${whole.format(number).replaceAll(",", "")}${unit}`;
  }
}

function minute(minutes) {
  return minutes === null ? UNKNOWN : new Date(minutes * 60000).toISOString().slice(0, 16).replace("T", " ");
}

function plural(number, word, many = `${word}s`) {
  return `${count(number)} ${number === 1 ? word : many}`;
}

// Elements get their texts as texts: nothing of a log is ever read as markup.
function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in made && !key.startsWith("aria")) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== ""));
  return made;
}
