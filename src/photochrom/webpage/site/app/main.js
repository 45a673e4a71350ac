// The page: what a person does becomes requests to the worker, and what it answers is shown.

import "./comparison.js";
import { Fault, faultOf } from "./fault.js";
import { Hinting } from "./hinting.js";
import { chosenLanguage, keepLanguage, LANGUAGES, Words } from "./language.js";
import { keepForOffline } from "./offline.js";
import { Session } from "./session.js";

const PLAIN = { vividness: 1, warmth: 0 };
const FORMATS = { png: "png", jpeg: "jpg" };
// The smallest module with a SIMD instruction: an i32x4 splat of zero.
const SIMD = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 17, 11);

const find = (id) => document.getElementById(id);
const json = async (name) => (await fetch(new URL(name, import.meta.url))).json();
const [page, table] = await Promise.all(["page.json", "strings.json"].map(json));
const words = new Words(table, chosenLanguage());
const session = new Session(page, onStage);
const hinting = new Hinting({
  layer: find("layer"), list: find("hints"), color: find("color"), nameOf: (n) => words.say("removeHint", { n }),
  onchange: () => hinted().catch(fail),
});
let opened = 0, shown = null, painting = null, isStale = false, told = [];

function tell(state) {
  document.body.dataset.state = state;
  document.querySelector(".controls").inert = state !== "done";
}

/** Says what goes on, politely: one text or several. Every one is said again when the language changes. */
function say(id, name, values = {}) {
  told = [...told.filter((entry) => entry.id !== id), { id, name, values }];
  find(id).textContent = [name].flat().map((one) => words.say(one, values)).join(" ");
}

function fail(error) {
  const { message, values } = faultOf(error);
  say("fault", message, values);
  say("status", "");
  find("fault").hidden = false;
}

function onStage({ stage, done, total, before, width, height }) {
  const megabytes = (bytes) => Math.round(bytes / 1e6);
  if (stage === "model") say("model", done < total ? "fetching" : "preparing", { done: megabytes(done), total: megabytes(total) });
  if (stage === "save") say("status", "saving", { percent: Math.round((100 * done) / total) });
  if (stage === "color") {
    find("photo").showBefore(before);
    say("status", "coloring");
    say("size", "size", { width, height });
    tell("coloring");
  }
}

async function startNet() {
  try {
    if (!globalThis.WebAssembly || !WebAssembly.validate(SIMD)) throw new Fault("noWebAssembly");
    if (!globalThis.OffscreenCanvas || !globalThis.CompressionStream) throw new Fault("oldBrowser");
    const started = await session.start();
    say("model", "");
    return started;
  } catch (error) {
    say("model", "");
    fail(error);
    throw error;
  }
}

/** Holds the photograph that can be saved, null while there is none. */
function hold(photo) {
  shown = photo;
  find("save-hints").hidden = !hinting.hints.length;
  for (const id of ["save-hints", ...Object.keys(FORMATS).map((format) => `save-${format}`)]) find(id).disabled = !photo;
}

/** Opens a photograph, the first of so many files. */
async function open(file, count = 1) {
  const turn = ++opened;
  hinting.clear();
  hold(null);
  placing(false);
  say("notes", "");
  say("status", "opening");
  find("fault").hidden = true;
  tell("opening");
  try {
    await startNet();
    const facts = await session.open(file);
    if (turn !== opened) return;
    hold({ ...facts, name: file.name || "photo" });
    Object.assign(find("vividness"), { value: PLAIN.vividness });
    Object.assign(find("warmth"), { value: PLAIN.warmth });
    await repaint();
    say("notes", [...(count > 1 ? ["several"] : []), ...facts.notes, ...(facts.blank ? ["blank"] : [])], { count });
    say("status", "done");
    tell("done");
  } catch (error) {
    if (turn !== opened) return;
    tell("ready");
    fail(error);
  }
}

const look = () => ({
  vividness: Number(find("vividness").value), warmth: Number(find("warmth").value), hints: hinting.hints,
});

/** Lets a person say colours in the photograph, which is shown in colour as a whole meanwhile. */
function placing(on) {
  if (on === (find("place").getAttribute("aria-pressed") === "true")) return;
  find("place").setAttribute("aria-pressed", on);
  find("photo").split(on ? 0 : 50);
  hinting.show(on);
}

async function hinted() {
  find("save-hints").hidden = !hinting.hints.length;
  say("status", "coloring");
  await repaint();
  say("status", "done");
}

/** Paints in the look of the sliders; while one is being painted, only the last one asked for follows. */
function repaint() {
  isStale = true;
  return (painting ??= paint());
}

async function paint() {
  await null;  // so that `painting` is set
  try {
    while (isStale && shown) {
      isStale = false;
      await paintOnce(shown);
    }
  } finally {
    painting = null;
  }
}

/** Paints a photograph, unless another one is opened meanwhile: that it cannot be painted any more is no fault then. */
async function paintOnce(photo) {
  try {
    const { bitmap } = await session.look(look());
    if (photo === shown) find("photo").showAfter(bitmap);
  } catch (error) {
    if (photo === shown) throw error;
  }
}

async function save(format) {
  find("fault").hidden = true;
  say("status", "saving", { percent: 0 });
  document.body.toggleAttribute("data-busy", true);
  const name = `${stem()}-color.${FORMATS[format]}`;  // of this photograph, though the next one may be opened meanwhile
  try {
    const blob = await session.save(look(), format);
    hand(blob, name);
    say("status", "saved");
  } catch (error) {
    fail(error);
  } finally {
    document.body.toggleAttribute("data-busy", false);
  }
}

const stem = () => shown.name.replace(/(.)\.[^.]*$/, "$1");

function hand(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function speak(language) {
  words.language = language;
  words.fill(document.documentElement);
  document.title = words.say("title");
  for (const { id, name, values } of told) say(id, name, values);
  hinting.draw();
}

function listen() {
  find("file").addEventListener("change", ({ target }) => {
    if (target.files[0]) open(target.files[0]);
    target.value = "";
  });
  find("another").addEventListener("click", () => find("file").click());
  find("example").addEventListener("click", async () => {
    try {
      const answer = await fetch(new URL(page.example, import.meta.url));
      if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
      open(new File([await answer.blob()], "example.jpg"));
    } catch (error) {
      fail(new Fault("unreadable", { reason: error.message }));
    }
  });
  for (const id of ["vividness", "warmth"]) find(id).addEventListener("input", () => repaint().catch(fail));
  find("place").addEventListener("click", () => placing(find("layer").hidden));
  find("layer").addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    placing(false);
    find("place").focus();
  });
  find("save-hints").addEventListener("click", () => hand(hinting.asFile(), `${stem()}.hints.json`));
  for (const format of Object.keys(FORMATS)) find(`save-${format}`).addEventListener("click", () => save(format));
  find("language").addEventListener("change", ({ target }) => {
    keepLanguage(target.value);
    speak(target.value);
  });
  listenToDrops();
}

/** Opens the first of the files that were dropped or pasted. */
function take({ files, items }) {
  if (!files.length) return;
  const isFolder = [...items].find(({ kind }) => kind === "file")?.webkitGetAsEntry?.()?.isDirectory;
  if (isFolder) fail(new Fault("folder"));
  else open(files[0], files.length);
}

function listenToDrops() {
  const hover = (on) => (event) => {
    event.preventDefault();
    document.body.toggleAttribute("data-hover", on);
  };
  addEventListener("dragover", hover(true));
  addEventListener("dragleave", hover(false));
  addEventListener("drop", (event) => {
    hover(false)(event);
    take(event.dataTransfer);
  });
  addEventListener("paste", (event) => { if (event.clipboardData) take(event.clipboardData); });
}

function offerLanguages() {
  for (const [language, name] of Object.entries(LANGUAGES)) {
    find("language").append(new Option(name, language, false, language === words.language));
  }
}

offerLanguages();
speak(words.language);
listen();
hold(null);
tell("ready");
find("known").hidden = !page.model.hears;
say("version", "version", { version: page.version, model: page.model.name, hash: page.model.sha256.slice(0, 12) });
say("offline", page.keep ? "offlineSoon" : "");
Promise.all([page.keep && keepForOffline(), startNet()]).then(
  ([shell, { kept }]) => say("offline", !page.keep ? "" : shell && kept ? "offlineNow" : "offlineNever"), () => say("offline", ""));
