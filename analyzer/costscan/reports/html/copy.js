"use strict";
// A button that copies a text, with the clipboard of the browser where it lets us, else with a selection.

function copyButton(text, what) {
  const button = element("button", { type: "button", className: "copy", "aria-label": `Copy ${what}` }, "Copy");
  const told = element("span", { role: "status", className: "copied" });
  button.addEventListener("click", async () => {
    told.textContent = (await copied(text)) ? "copied" : "not copied: select the text";
  });
  button.addEventListener("blur", () => (told.textContent = ""));
  return element("span", { className: "copier" }, button, told);
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedBySelection(text);
  }
}

function copiedBySelection(text) {
  const focused = document.activeElement;
  const area = element("textarea", { value: text, className: "unseen", "aria-hidden": "true" });
  document.body.append(area);
  area.select();
  try {
    return document.execCommand("copy");
  } finally {
    area.remove();
    focused?.focus();
  }
}
