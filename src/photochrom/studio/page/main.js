// The page: a wall, a light table over it, and the news from the server that both live by.

import { button, make, toast } from "./elements.js";
import { faultText, thereName } from "./faults.js";
import { ask, listen, tell } from "./server.js";
import { LightTable } from "./table.js";
import { droppedFiles, PhotoWall } from "./wall.js";
import { current, duration, NAMES, speak, t } from "./words.js";

const photos = new Map();
const wall = new PhotoWall();
const main = document.getElementById("main");
const progress = document.querySelector(".progress");
let table = null;
let left = { left: 0, seconds_left: 0, changes_made: 0 };
let album = null;  // where all are being saved: what was begun, and from which change on the news tell of it

/** Show the wall or, where the address names a photograph, the light table. */
function route() {
  const photo = photos.get(location.hash.slice(1));
  if (photo) {
    if (table?.photo.id === photo.id) return;
    table?.leave();
    table = new LightTable(photo, photos);
    wall.hidden = true;
    main.querySelector("light-table")?.remove();
    main.append(table);
    table.focusFirst();
  } else {
    const looked = table?.photo.id;
    table?.leave();
    main.querySelector("light-table")?.remove();
    wall.hidden = false;
    table = null;
    if (looked) wall.focusOn(looked);
  }
  document.title = photo ? `${photo.name} – photochrom` : "photochrom";
}

function heard(news) {
  const told = new Set(news.changed.map((photo) => photo.id));
  // The first news after a break tell of all: what they do not name was taken down meanwhile.
  const removed = news.whole ? [...photos.keys()].filter((id) => !told.has(id)) : news.removed;
  for (const photo of news.changed) photos.set(photo.id, photo);
  for (const id of removed) photos.delete(id);
  left = news;
  wall.plain.hidden = !news.plain;
  wall.show(photos, news.changed, removed);
  table?.hear(news.changed.find((photo) => photo.id === table.photo.id), news.changes_made);
  if (table ? removed.includes(table.photo.id) : photos.has(location.hash.slice(1))) route();
  tellProgress();
  document.body.dataset.ready = "yes";
}

function tellProgress() {
  const all = [...photos.values()];
  const making = all.filter((photo) => photo.full === "working").length;
  const known = left.seconds_left > 0;
  progress.textContent = left.left ? (known ? t("left", { n: left.left, time: duration(left.seconds_left) }) : `${left.left} …`) : "";
  if (!left.left && making) progress.textContent = `${t("fullSize")} ${all.length - making}/${all.length}`;
  if (album && left.changes_made >= album.changes_made && !making) tellAlbum();
}

/** Tell how saving all ended: what was not saved, and why; then what was. */
function tellAlbum() {
  const { left_out: leftOut, begun } = album;
  const asked = begun.map((id) => photos.get(id)).filter(Boolean);  // others were taken down meanwhile
  const missing = [...leftOut.map(({ why, kind }) => faultText(why, kind)), ...asked.map(whyNotSaved).filter(Boolean)];
  album = null;
  if (missing.length) toast(t("albumMissing", { n: missing.length, all: asked.length + leftOut.length, why: missing[0] }), "bad");
  if (asked.some((photo) => photo.full === "done" && !photo.is_original)) make("a", { href: "/studio/album.zip", download: "" }).click();
  if (asked.length && !missing.length) toast(t("albumDone"));
}

function whyNotSaved({ name, full, full_error: error, full_error_kind: kind }) {
  const there = thereName(error);
  if (there) return t("albumExists", { name: there });  // to save all again would replace what nobody has looked at
  if (error) return faultText(error, kind);
  return full === "done" ? "" : `${name}: ${t("changedMeanwhile")}`;
}

async function saveAll() {
  try {
    const begun = await tell("/studio/album", { save: true });
    if (begun.films_left.length) toast(t("albumFilms", { names: begun.films_left.join(", ") }));
    album = begun;
    tellProgress();
  } catch (error) {
    toast(error, "bad");
  }
}

function furnish() {
  const languages = make("select", { onchange: () => { speak(languages.value); furnish(); wall.speak(photos); wall.plain.hidden = !left.plain; if (table) { table.leave(); table = null; route(); } tellProgress(); document.querySelector("#tools select").focus(); } });
  languages.setAttribute("aria-label", t("language"));
  for (const [key, name] of Object.entries(NAMES)) languages.append(make("option", { value: key, selected: key === current() }, name));
  document.getElementById("tools").replaceChildren(
    languages, button("album", t("album"), saveAll), button("add", t("add"), () => wall.choose.click(), { kind: "main" }));
}

function acceptDrops() {
  let depth = 0;
  const isFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const dragging = (on) => document.body.classList.toggle("dragging", on);
  addEventListener("dragenter", (event) => { if (isFiles(event)) dragging((depth += 1) > 0); });
  addEventListener("dragleave", (event) => { if (isFiles(event)) dragging((depth -= 1) > 0); });
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", async (event) => {
    event.preventDefault();
    dragging((depth = 0) > 0);
    const files = await droppedFiles(event.dataTransfer);
    if (table && event.target.closest?.(".reference")) table.lend(files);
    else wall.hang(files);
  });
}

main.append(wall);
furnish();
acceptDrops();
addEventListener("hashchange", route);
let isGone = false;
const hear = () => listen(heard, async (closed) => {
  if (isGone || !closed) return;
  isGone = await ask("/healthz").then(() => false, () => true);
  toast(t("gone"), "bad");
});
let source = hear();
addEventListener("pagehide", () => {
  table?.history.keepAtOnce();
  source.close();
});
addEventListener("pageshow", (event) => {
  if (event.persisted) source = hear();  // come back to as it was left
});
