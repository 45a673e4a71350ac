// The page: a wall, a light table over it, and the news from the server that both live by.

import { button, make, toast } from "./elements.js";
import { faultText } from "./faults.js";
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
let album = null;  // where all are being saved: from which change on the news tell of it

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
    table?.leave();
    main.querySelector("light-table")?.remove();
    wall.hidden = false;
    table = null;
  }
  document.title = photo ? `${photo.name} – photochrom` : "photochrom";
}

function heard(news) {
  for (const photo of news.changed) photos.set(photo.id, photo);
  for (const id of news.removed) photos.delete(id);
  left = news;
  wall.plain.hidden = !news.plain;
  wall.show(photos, news.changed, news.removed);
  table?.hear(news.changed.find((photo) => photo.id === table.photo.id), news.changes_made);
  if (table ? news.removed.includes(table.photo.id) : photos.has(location.hash.slice(1))) route();
  tellProgress();
  document.body.dataset.ready = "yes";
}

function tellProgress() {
  const all = [...photos.values()];
  const making = all.filter((photo) => photo.full === "working").length;
  const known = left.seconds_left > 0;
  progress.textContent = left.left ? (known ? t("left", { n: left.left, time: duration(left.seconds_left) }) : `${left.left} …`) : "";
  if (!left.left && making) progress.textContent = `${t("fullSize")} ${all.length - making}/${all.length}`;
  if (album !== null && left.changes_made >= album && !making) {
    album = null;
    const missing = all.filter((photo) => photo.full_error);
    if (missing.length) toast(t("albumMissing", { n: missing.length, all: all.length, why: faultText(missing[0].full_error, missing[0].full_error_kind) }), "bad");
    if (all.some((photo) => photo.full === "done" && !photo.is_original)) make("a", { href: "/studio/album.zip", download: "" }).click();
    if (all.some((photo) => photo.full === "done" && !photo.full_error)) toast(t("albumDone"));
  }
}

async function saveAll() {
  try {
    const { films_left: films, changes_made: begun } = await tell("/studio/album", { save: true });
    if (films.length) toast(t("albumFilms", { names: films.join(", ") }));
    album = [...photos.values()].some((photo) => photo.state === "done") ? begun : null;
    tellProgress();
  } catch (error) {
    toast(error, "bad");
  }
}

function furnish() {
  const languages = make("select", { onchange: () => { speak(languages.value); furnish(); wall.speak(photos); wall.plain.hidden = !left.plain; if (table) { table.leave(); table = null; route(); } tellProgress(); } });
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
const source = listen(heard, async (closed) => {
  if (isGone || !closed) return;
  isGone = await ask("/healthz").then(() => false, () => true);
  toast(t("gone"), "bad");
});
addEventListener("pagehide", () => source.close());
