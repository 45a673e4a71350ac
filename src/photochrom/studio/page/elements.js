// Making elements: the few shapes that the page is built of, each with a name that screen readers say.

import { tellFault } from "./faults.js";
import { icon } from "./icons.js";

/** Return an element with properties and children; `class`, `data-*`, `aria-*` and `role` become attributes. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class" || name === "role" || name === "for" || name.includes("-")) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Return a button with an icon, and words beside it or, where `quiet`, for screen readers and as a tooltip. */
export function button(name, words, onclick, { quiet = false, kind = "", pressed } = {}) {
  const element = make("button", { type: "button", class: `button ${kind}${quiet ? " quiet" : ""}`, onclick });
  if (name) element.append(icon(name));
  if (quiet) {
    element.setAttribute("aria-label", words);
    element.title = words;
  } else element.append(make("span", {}, words));
  if (pressed !== undefined) element.setAttribute("aria-pressed", String(pressed));
  return element;
}

let count = 0;

/** Return a labelled slider that tells its value while it is moved. */
export function range(words, { min, max, step, value, shown = (v) => v, oninput }) {
  const id = `range-${(count += 1)}`;
  const output = make("output", { for: id }, shown(value));
  const input = make("input", { type: "range", id, min, max, step, value });
  input.addEventListener("input", () => {
    output.textContent = shown(Number(input.value));
    oninput(Number(input.value));
  });
  return make("div", { class: "field" }, make("label", { for: id }, words), output, input);
}

/** Return a labelled choice. */
export function choice(words, values, value, onchange) {
  const id = `choice-${(count += 1)}`;
  const select = make("select", { id, onchange: () => onchange(select.value) });
  for (const [key, text] of values) select.append(make("option", { value: key, selected: key === value }, text));
  return make("div", { class: "field row" }, make("label", { for: id }, words), select);
}

/** Return a labelled switch. */
export function toggle(words, checked, onchange) {
  const id = `toggle-${(count += 1)}`;
  const input = make("input", { type: "checkbox", id, checked, onchange: () => onchange(input.checked) });
  return make("div", { class: "field row" }, make("label", { for: id }, words), input);
}

/** Say something for a while: a sentence or, where `kind` is "bad", what was thrown, of the file `name` where one is named. */
export function toast(said, kind = "", name = "") {
  const text = said instanceof Error ? tellFault(said) : said;
  const line = make("p", { class: `toast ${kind}` }, name && !text.startsWith(name) ? `${name}: ${text}` : text);
  document.querySelector(".toasts").append(line);
  setTimeout(() => line.remove(), kind === "bad" ? 12000 : 5000);
}
