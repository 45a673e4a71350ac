// The parts of the light table's panel. Each takes the table, and returns an element; `update` follows what changes.

import { colorName, colorOf, cssColor } from "./colors.js";
import { button, choice, make, range, toggle } from "./elements.js";
import { faultText } from "./faults.js";
import { noteText } from "./notes.js";
import { picture } from "./server.js";
import { t } from "./words.js";

const PALETTE = ["#7a3b2e", "#b5563a", "#d9a15b", "#e3cf8f", "#6b8e23", "#2e6b4f", "#3f7f8c", "#27517a", "#5a4a86", "#8e3f63", "#c9a08a", "#8b8378"];
const decimals = (value) => value.toFixed(2);

/** How it looks: vividness, warmth, versions, where it is a guess, what references lend. */
export function lookPart(table) {
  const versions = make("div", { class: "versions" });
  const guess = toggle(t("uncertainty"), false, (on) => table.showGuess(on));
  const file = make("input", { type: "file", multiple: true, hidden: true, accept: "image/*,.tif,.tiff", onchange: () => table.lend([...file.files]) });
  file.setAttribute("aria-label", t("reference"));
  const showVersions = async () => {
    const told = await table.question("versions");
    if (!told) return;
    versions.replaceChildren(...told.versions.map((version, k) => {
      const words = `${t("versionN", { n: k + 1 })}`;
      const pick = () => {
        table.history.change({ alternative: k + 1 });
        for (const [at, one] of [...versions.children].entries()) one.setAttribute("aria-pressed", String(at === k));
      };
      return make("button", { type: "button", "aria-label": words, title: noteText(version.notes.at(-1) ?? ""), "aria-pressed": String((table.look.alternative ?? 1) === k + 1), onclick: pick }, make("img", { src: version.picture, alt: "" }));
    }));
  };
  const sliders = make("div", { class: "part-fields" });
  const without = button("close", t("referenceNone"), () => table.lendNothing());
  const notes = make("ul", { class: "notes" }), decided = make("h3", {}, t("notes"));
  const lent = make("p", { class: "lent" });
  const anew = toggle(t("colorAnew"), false, (on) => table.history.change({ colored: on ? "recolor" : "skip" }));
  const part = make("section", { class: "part" }, make("h2", {}, t("lookPart")), sliders,
    make("h3", {}, t("versions")), make("div", { class: "buttons" }, button("sliders", t("alternativesShow"), showVersions)), versions, guess,
    make("h3", {}, t("reference")), make("div", { class: "reference" }, make("p", {}, t("referenceHelp")), lent,
      make("div", { class: "buttons" }, button("add", t("reference"), () => file.click()), without)), file, decided, notes, anew);
  part.update = () => {
    const fresh = [
      range(t("vividness"), { min: 0, max: 2, step: 0.05, value: table.look.vividness ?? 1, shown: decimals, oninput: (v) => table.history.change({ vividness: v }, "vividness") }),
      range(t("warmth"), { min: -60, max: 60, step: 2, value: table.look.warmth ?? 0, oninput: (v) => table.history.change({ warmth: v }, "warmth") }),
    ];
    if (!sliders.contains(document.activeElement)) sliders.replaceChildren(...fresh);
    notes.replaceChildren(...table.notes.map((note) => make("li", { title: note }, noteText(note))));
    const { references } = table.photo;
    decided.hidden = notes.hidden = !table.notes.length;
    lent.hidden = without.hidden = !references.length;
    lent.textContent = t("referencesTaken", { names: references.join(", ") });
    anew.hidden = table.look.colored !== "recolor" && !table.notes.some((note) => note.startsWith("in colour already"));
    anew.querySelector("input").checked = table.look.colored === "recolor";
  };
  return part;
}

/** Say which colour it is: a palette, the brush, the list of what was said. */
export function brushPart(table) {
  const color = make("input", { type: "color", value: table.strokes.brush.color, "aria-label": t("color"), oninput: () => choose(color.value) });
  const swatches = make("div", { class: "swatches" });
  const choose = (value) => {
    table.strokes.brush.color = value;
    color.value = value;
    for (const one of swatches.children) one.setAttribute("aria-pressed", String(one.dataset.color === value));
  };
  for (const value of PALETTE) {
    const one = make("button", { type: "button", class: "swatch", "data-color": value, "aria-label": `${colorName(value)} ${value}`, "aria-pressed": "false", onclick: () => choose(value) });
    one.style.background = value;
    swatches.append(one);
  }
  const drops = button("drop", t("drops"), () => table.useTool("drops"));
  const others = make("div", { class: "others" });
  const undo = button("undo", t("undo"), () => table.history.step(-1));
  const redo = button("redo", t("redo"), () => table.history.step(1));
  const list = make("ul", { class: "hints" });
  const part = make("section", { class: "part" }, make("h2", {}, t("brush")), make("p", {}, t("brushHelp")),
    make("div", { class: "field row" }, make("span", {}, t("color")), color), swatches,
    make("div", { class: "buttons" }, drops), make("p", {}, t("dropsOther")), others,
    range(t("width"), { min: 0, max: 0.1, step: 0.005, value: table.strokes.brush.width, shown: decimals, oninput: (v) => { table.strokes.brush.width = v; } }),
    range(t("reach"), { min: 0, max: 0.6, step: 0.01, value: table.strokes.brush.reach, shown: decimals, oninput: (v) => { table.strokes.brush.reach = v; } }),
    make("div", { class: "buttons" }, undo, redo), make("h3", {}, t("hintList")), list);
  part.update = () => {
    choose(table.strokes.brush.color);
    undo.disabled = !table.history.canUndo;
    redo.disabled = !table.history.canRedo;
    const { hints } = table;
    if (JSON.stringify(hints) !== list.dataset.told) {  // rows that somebody moves a hint by stay in focus
      list.replaceChildren(...(hints.length ? hints.map((hint, k) => hintRow(table, hint, k)) : [make("li", {}, t("hintNone"))]));
      list.dataset.told = JSON.stringify(hints);
    }
    const shown = [...table.photos.values()].filter((photo) => photo.revision && photo.id !== table.photo.id).slice(0, 12);
    if (others.childElementCount !== shown.length) others.replaceChildren(...shown.map((photo) => otherPhoto(photo, choose)));
  };
  return part;
}

function hintRow(table, hint, k) {
  const words = typeof hint.color === "string" ? hint.color : hint.color.map((v) => Math.round(v)).join(", ");
  const dot = make("button", { type: "button", class: "dot", "aria-label": t("hintMove", { n: k + 1, color: words }), title: t("hintMove", { n: k + 1, color: words }),
    onfocus: () => table.pointAtHint(k), onblur: () => table.pointAtHint(null), onkeydown: (event) => moveByKey(table, k, event) });
  dot.style.background = cssColor(hint.color);
  return make("li", {}, dot, make("span", {}, words), button("remove", t("removeHint", { n: k + 1 }), () => removeHint(table, k), { quiet: true }));
}

function removeHint(table, k) {
  table.setHints(table.hints.filter((_, at) => at !== k));
  const left = document.querySelectorAll(".hints .button");
  (left[Math.min(k, left.length - 1)] ?? table.viewer.canvas).focus();  // the one that was pressed is gone
}

function moveByKey(table, k, event) {
  const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (!step) return;
  event.preventDefault();
  event.stopPropagation();
  table.strokes.move(k, step.map((v) => v * (event.shiftKey ? 0.05 : 0.01)));
  document.querySelectorAll(".hints .dot")[k]?.focus();
}

function otherPhoto(photo, choose) {
  const image = make("img", { src: picture(photo, "thumbnail"), alt: "" });
  return make("button", { type: "button", "aria-label": `${t("drops")}: ${photo.name}`, onclick: (event) => {
    const box = image.getBoundingClientRect();
    const at = event.detail ? [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height] : [0.5, 0.5];
    choose(colorOf(image, ...at));
  } }, image);
}

/** What the net would like to know. */
export function questionPart(table) {
  const place = make("div", { class: "asked" });
  const part = make("section", { class: "part" }, make("h2", {}, t("questions")), make("p", {}, t("askHelp")), place);
  const next = async () => {
    const told = await table.question("questions");
    if (told) show(told.questions);
  };
  const fill = (...parts) => {
    const isIn = place.contains(document.activeElement);
    place.replaceChildren(...parts);
    if (isIn) (place.querySelector("button") ?? table.tabButtons[table.chosen]).focus();
  };
  const show = ([question, ...rest]) => {
    table.point(question);
    if (!question) {
      fill(make("p", {}, t("askNone")));
      return;
    }
    const answers = question.choices.map((choice) => {
      const tint = make("span", { class: "tint" });
      tint.style.background = choice.color;
      const said = { point: question.point, color: choice.ab.map(Number), reach: question.reach };
      return make("button", { type: "button", onclick: () => { table.point(null); table.setHints([...table.hints, said]); next(); } }, tint, colorName(choice.color));
    });
    fill(make("h3", {}, t("asking")), make("div", { class: "answers" }, ...answers),
      make("div", { class: "buttons" }, button("next", t("answerNext"), () => show(rest))));
  };
  place.append(make("div", { class: "buttons" }, button("question", t("ask"), next, { kind: "main" })));
  part.update = () => {};
  part.leave = () => table.point(null);
  return part;
}

/** Restoring: stages, strengths, and the mask with its brush. */
export function restorePart(table) {
  const stages = make("div", { class: "stages" });
  const tools = make("div", { class: "buttons" });
  const find = button("restore", t("findDamage"), () => table.mask.find());
  const part = make("section", { class: "part" }, make("h2", {}, t("restore")), make("p", {}, t("restoreHelp")), stages,
    make("div", { class: "buttons" }, find), tools);
  const switches = [["auto", t("auto")], ["always", t("always")], ["never", t("never")]];
  part.update = () => {
    const look = table.look;
    const rows = [toggle(t("restoreFirst"), Boolean(look.restore), (on) => table.history.change({ restore: on }))];
    if (look.restore) {
      for (const name of ["damage", "noise", "tone"]) rows.push(choice(t(name), switches, look[name] ?? "auto", (v) => table.history.change({ [name]: v })));
      rows.push(range(t("noiseStrength"), { min: 0, max: 1, step: 0.05, value: look.noise_strength ?? 1, shown: decimals, oninput: (v) => table.history.change({ noise_strength: v }, "noise_strength") }));
      rows.push(range(t("toneStrength"), { min: 0, max: 1, step: 0.05, value: look.tone_strength ?? 1, shown: decimals, oninput: (v) => table.history.change({ tone_strength: v }, "tone_strength") }));
      rows.push(toggle(t("neutralize"), Boolean(look.neutralize), (on) => table.history.change({ neutralize: on })));
      rows.push(make("p", {}, t("stageHelp")));
    }
    if (!stages.contains(document.activeElement) || document.activeElement.type !== "range") refill(stages, rows);
    find.hidden = !look.restore || table.photo.kind !== "photo";
    const known = table.mask.picture && look.restore;
    tools.replaceChildren(...(known ? [make("p", {}, t("maskHelp")),
      ...[["add", "brush", "maskAdd"], ["remove", "close", "maskRemove"]].map(([tool, name, words]) => button(name, t(words), () => table.useTool(table.viewer.tool === tool ? "move" : tool), { pressed: table.viewer.tool === tool })),
      button("undo", t("undo"), () => table.mask.undo())] : []));
  };
  return part;
}

/** Fill an element anew, and give the focus back to what stands where it was. */
function refill(element, rows) {
  const fields = () => [...element.querySelectorAll("input, select")];
  const at = fields().indexOf(document.activeElement);
  element.replaceChildren(...rows);
  if (at >= 0) fields()[at]?.focus();
}

/** Saving. */
export function savePart(table) {
  const links = make("div", { class: "buttons" });
  const told = make("p", { role: "status" });
  const save = button("save", t("save"), () => table.save(), { kind: "main" });
  const stop = button("stop", t("stop"), () => table.stop());
  const part = make("section", { class: "part" }, make("h2", {}, t("save")), make("p", {}, t("saveHelp")), make("div", { class: "buttons" }, save, stop), told, links);
  part.update = () => {
    const photo = table.photo;
    save.disabled = photo.full === "working";
    const share = photo.progress ? ` ${Math.round(photo.progress * 100)} %` : "";
    told.textContent = photo.full === "working" ? t("fullSize") + share : (photo.full_error && faultText(photo.full_error, photo.full_error_kind)) || (photo.saved ? t("saved", { name: photo.saved }) : "");
    const link = (label, name, words) => make("a", { class: "button", href: `/studio/photos/${photo.id}/${label}`, download: name }, words);
    const files = photo.full === "done" ? [...("result" in photo.files ? [link("files/result", photo.files.result, photo.files.result)] : []), ...("recipe" in photo.files ? [link("files/recipe", photo.files.recipe, t("recipe"))] : [])] : [];
    const hints = photo.kind === "film" ? link("hints.zip", "", t("hintsOfFilm")) : link("hints.json", "", t("hintFile"));
    links.replaceChildren(...files, hints);
    stop.hidden = photo.full !== "working";
  };
  return part;
}
