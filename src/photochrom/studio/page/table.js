// The light table: one photograph, what is said of it, and its history.

import { button, make, toast } from "./elements.js";
import { icon } from "./icons.js";
import { brushPart, cssColor, lookPart, questionPart, restorePart, savePart } from "./parts.js";
import { ask, picture, tell, upload } from "./server.js";
import { PhotoViewer } from "./viewer.js";
import { t } from "./words.js";

const PARTS = [["sliders", "lookPart", lookPart], ["brush", "brush", brushPart], ["question", "questions", questionPart], ["restore", "restore", restorePart], ["save", "save", savePart]];
const SETTLED_MS = 60;
const KEPT_MS = 700;
const SHORTEST_STROKE = 0.008;

export class LightTable extends HTMLElement {
  constructor(photo, photos) {
    super();
    this.photo = photo;
    this.photos = photos;
    this.history = [structuredClone(photo.look)];
    this.at = 0;
    this.notes = photo.notes;
    this.brush = { color: "#2e6b4f", width: 0.01, reach: 0.2 };
    this.strokes = [];
    this.number = 0;
  }

  get look() { return this.history[this.at]; }

  connectedCallback() {
    const go = (step) => { const ids = [...this.photos.values()].filter((one) => one.state === "done").map((one) => one.id); location.hash = ids.at((ids.indexOf(this.photo.id) + step) % ids.length); };
    this.backButton = button("back", t("back"), () => { location.hash = ""; });
    this.goTo = go;
    const rail = make("div", { class: "rail" }, this.backButton, make("h1", {}, this.photo.name), button("back", t("previous"), () => go(-1), { quiet: true }), button("next", t("next"), () => go(1), { quiet: true }));
    this.viewer = new PhotoViewer();
    this.tabs = make("div", { class: "tabs", role: "tablist" });
    this.place = make("div", { role: "tabpanel", id: "part" });
    this.tabButtons = PARTS.map(([name, words], k) => make("button", { type: "button", role: "tab", id: `tab-${words}`, "aria-controls": "part", onclick: () => this.choose(k) }, icon(name), t(words)));
    this.tabs.append(...this.tabButtons);
    this.tabs.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) { this.choose((this.chosen + step + PARTS.length) % PARTS.length); this.tabButtons[this.chosen].focus(); event.stopPropagation(); }
    });
    this.replaceChildren(rail, this.viewer, make("aside", { class: "panel", "aria-label": t("opened", { name: this.photo.name }) }, this.tabs, this.place));
    this.viewer.open(this.photo);
    this.viewer.setImage("before", picture(this.photo, "before")).catch(() => {});
    this.viewer.setImage("after", picture(this.photo, "after")).catch(() => {});
    this.viewer.marks.push((...given) => this.paintMarks(...given));
    this.viewer.onbegin = (place) => this.begin(place);
    this.viewer.onpaint = (places) => this.painting(places);
    this.viewer.onpainted = (places) => this.painted(places);
    this.viewer.onwantfull = () => this.wantFull();
    this.listener = (event) => this.key(event);
    document.addEventListener("keydown", this.listener);
    document.addEventListener("keyup", this.released = (event) => { if (event.key === "b") this.viewer.hold(false); });
    this.choose(0);
    this.show(this.photo);
  }

  focusFirst() { this.backButton.focus({ preventScroll: true }); }

  leave() {
    document.removeEventListener("keydown", this.listener);
    document.removeEventListener("keyup", this.released);
    if (this.waiting) { clearTimeout(this.waiting); this.keep(); }
  }

  choose(k) {
    this.section?.leave?.();
    this.chosen = k;
    this.section = PARTS[k][2](this);
    this.place.replaceChildren(this.section);
    this.place.setAttribute("aria-labelledby", this.tabButtons[k].id);
    for (const [at, tab] of this.tabButtons.entries()) { tab.setAttribute("aria-selected", String(at === k)); tab.tabIndex = at === k ? 0 : -1; }
    this.viewer.setTool(PARTS[k][1] === "brush" ? "brush" : "move");
    this.viewer.setLayer("mask", PARTS[k][1] === "restore" ? this.mask : null);
    this.section.update();
  }

  /** Follow what the server says of this photograph. */
  show(photo) {
    const before = this.photo;
    this.photo = this.viewer.photo = photo;
    this.viewer.full = photo.full === "done";
    this.viewer.busy.hidden = photo.full !== "working" && !this.isFinding;
    this.viewer.busy.textContent = t(this.isFinding ? "finding" : "fullSize");
    if (photo.revision !== before.revision && !this.waiting) {
      this.viewer.setImage("after", picture(photo, "after")).catch(() => {});
      if (JSON.stringify(photo.look) !== JSON.stringify(this.look)) this.push(structuredClone(photo.look));  // another tab
      this.notes = photo.notes;
    }
    if (this.isSaving && photo.full !== "working") this.saved(photo);
    this.viewer.draw();
    this.section?.update();
  }

  push(look) {
    this.history.splice(this.at + 1, Infinity, look);
    this.at = this.history.length - 1;
  }

  /** Change how it looks; changes of one slider in a row are one step of the history. */
  change(values, name = "") {
    const look = { ...this.look, ...values };
    const isSame = name && name === this.lastName && this.waiting && this.at === this.history.length - 1 && this.at > 0;
    if (isSame) this.history[this.at] = look;
    else this.push(look);
    this.lastName = name;
    this.renew();
  }

  setHints(hints) { this.change({ hints }); }

  step(by) {
    this.at = Math.min(this.history.length - 1, Math.max(0, this.at + by));
    this.lastName = "";
    this.renew();
  }

  /** Show the look at once, and keep it when no more follows. */
  renew() {
    this.section.update();
    this.viewer.full = false;
    this.viewer.draw();
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.preview(), SETTLED_MS);
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.keep(), KEPT_MS);
  }

  async preview() {
    const number = (this.number += 1);
    try {
      const answer = await ask(`/studio/photos/${this.photo.id}/preview`, { method: "POST", json: this.look });
      this.notes = JSON.parse(answer.headers.get("Photochrom-Notes"));
      const address = URL.createObjectURL(await answer.blob());
      if (number === this.number) await this.viewer.setImage("after", address);
      URL.revokeObjectURL(address);
      this.dataset.shown = String(number);
      if (this.isGuessing) this.showGuess(true);
      this.section.update();
    } catch (error) {
      toast(error.message, "bad");
    }
  }

  async keep() {
    this.waiting = null;
    try {
      await tell(`/studio/photos/${this.photo.id}/look`, this.look, "PUT");
      this.dataset.kept = String(this.at);
    } catch (error) {
      toast(error.message, "bad");
    }
  }

  async kept() {
    if (!this.waiting) return;
    clearTimeout(this.waiting);
    await this.keep();
  }

  async question(what) {
    try {
      return await tell(`/studio/photos/${this.photo.id}/${what}`, this.look);
    } catch (error) {
      toast(error.message, "bad");
      return null;
    }
  }

  async showGuess(on) {
    this.isGuessing = on;
    try {
      const answer = on ? await ask(`/studio/photos/${this.photo.id}/uncertainty`, { method: "POST", json: this.look }) : null;
      await this.viewer.setLayer("guess", answer && await answer.blob());
    } catch (error) {
      toast(error.message, "bad");
    }
  }

  async lend(files) {
    for (const file of files) {
      try {
        await this.kept();
        await tell(`/studio/photos/${this.photo.id}/references`, { upload: await upload(file) });
      } catch (error) {
        toast(`${file.name}: ${error.message}`, "bad");
      }
    }
    this.preview();
  }

  async lendNothing() {
    await tell(`/studio/photos/${this.photo.id}/references`, {}, "DELETE").catch((error) => toast(error.message, "bad"));
    this.preview();
  }

  point(question) {
    this.asked = question;
    this.viewer.draw();
  }

  useTool(tool) {
    this.viewer.setTool(tool);
    this.section.update();
  }

  begin(place) {
    this.dragged = null;
    if (this.viewer.tool !== "brush") return;
    const near = 12 / this.viewer.scale;
    const hints = this.look.hints ?? [];
    const at = hints.findIndex((hint) => hint.point && Math.hypot((hint.point[0] - place[0]) * this.photo.width, (hint.point[1] - place[1]) * this.photo.height) < near);
    if (at >= 0) this.dragged = { at, place: hints[at].point };
  }

  painting(places) {
    if (this.dragged) this.dragged.place = clamped(places.at(-1));
    else this.stroke = { places, tool: this.viewer.tool };
    this.viewer.draw();
  }

  painted(places) {
    const { tool } = this.viewer;
    const { dragged } = this;
    this.stroke = this.dragged = null;
    if (tool === "drops") {
      this.brush.color = this.viewer.colorAt(places[0]);
      this.useTool("brush");
    } else if (dragged && places.length > 1) {
      this.setHints(this.look.hints.map((hint, k) => (k === dragged.at ? { ...hint, point: dragged.place } : hint)));
    } else if (tool === "brush" && !dragged) {
      this.setHints([...(this.look.hints ?? []), this.hint(places)]);
    } else if (tool === "add" || tool === "remove") {
      this.strokes.push({ mode: tool, points: thinned(places), width: Math.max(0.004, this.brush.width) });
      this.correctMask();
    }
    this.viewer.draw();
  }

  hint(places) {
    const points = thinned(places);
    const { color, width, reach } = this.brush;
    const length = points.slice(1).reduce((sum, [x, y], k) => sum + Math.hypot(x - points[k][0], y - points[k][1]), 0);
    return length < SHORTEST_STROKE ? { point: points[0], color, width, reach } : { stroke: points, color, width, reach };
  }

  paintMarks(context, scale, width, height) {
    const at = ([x, y]) => [x * width * scale, y * height * scale];
    const short = Math.min(width, height) * scale;
    const line = (places, color, thick) => {
      context.lineCap = context.lineJoin = "round";
      context.lineWidth = Math.max(3, thick * short);
      context.strokeStyle = color;
      context.beginPath();
      for (const [k, place] of places.entries()) context[k ? "lineTo" : "moveTo"](...at(place));
      context.stroke();
    };
    if (PARTS[this.chosen][1] === "brush") {
      for (const [k, hint] of (this.look.hints ?? []).entries()) {
        const place = this.dragged?.at === k ? this.dragged.place : hint.point ?? (hint.stroke ?? hint.region)?.[0];
        if (!place) continue;
        if (hint.stroke) line(hint.stroke, cssColor(hint.color), 0);
        disc(context, ...at(place), cssColor(hint.color));
      }
    }
    if (this.stroke) line(this.stroke.places, { add: "#e63c28aa", remove: "#ffffffaa" }[this.stroke.tool] ?? this.brush.color, Math.max(0.004, this.brush.width));
    if (this.asked) ring(context, ...at(this.asked.point));
  }

  async findDamage() {
    this.isFinding = true;
    this.show(this.photo);
    try {
      await this.kept();
      await this.takeMask(await ask(`/studio/photos/${this.photo.id}/mask`, { method: "POST", json: {} }));
    } catch (error) {
      toast(error.message, "bad");
    }
    this.isFinding = false;
    this.show(this.photo);
  }

  async takeMask(answer) {
    this.mask = await answer.blob();
    this.hasMask = true;
    if (PARTS[this.chosen][1] === "restore") await this.viewer.setLayer("mask", this.mask);
    this.section.update();
  }

  async correctMask() {
    try {
      await this.kept();
      await this.takeMask(await ask(`/studio/photos/${this.photo.id}/mask`, { method: "PUT", json: { strokes: this.strokes } }));
      this.dataset.strokes = String(this.strokes.length);
      this.preview();
    } catch (error) {
      toast(error.message, "bad");
    }
  }

  undoStroke() {
    this.strokes.pop();
    this.correctMask();
  }

  /** Have it made at full size, once, because somebody looks closer than the screen-size copy shows. */
  wantFull() {
    if (this.photo.full || this.waiting || this.isWanted === this.photo.revision) return;
    this.isWanted = this.photo.revision;
    tell(`/studio/photos/${this.photo.id}/save`, { save: false }).catch((error) => toast(error.message, "bad"));
  }

  async save() {
    try {
      await this.kept();
      const again = this.photo.is_original && Boolean(this.photo.full_error);
      this.isSaving = true;
      const photo = await tell(`/studio/photos/${this.photo.id}/save`, { save: true, overwrite: again });
      if (photo.full !== "working") this.saved(photo);
    } catch (error) {
      toast(error.message, "bad");
    }
  }

  saved(photo) {
    this.isSaving = false;
    if (photo.full_error) toast(photo.full_error, "bad");
    else if (photo.is_original) toast(t("saved", { name: photo.saved }));
    else make("a", { href: `/studio/photos/${photo.id}/files/result`, download: photo.files.result }).click();
    this.section.update();
  }

  key(event) {
    if (event.target.closest?.("input, select, textarea") || event.ctrlKey && event.key.toLowerCase() !== "z" || event.altKey || event.metaKey && event.key.toLowerCase() !== "z") return;
    const acts = {
      Escape: () => { location.hash = ""; }, b: () => this.viewer.hold(true), c: () => this.viewer.nextMode(), h: () => this.choose(1), s: () => this.choose(4), q: () => this.choose(2), r: () => this.choose(3),
      z: () => this.step(-1), Z: () => this.step(1), "+": () => this.viewer.zoom(1.6), "-": () => this.viewer.zoom(1 / 1.6), 0: () => this.viewer.fit(), 1: () => this.viewer.zoom(1 / devicePixelRatio / this.viewer.scale),
      PageDown: () => this.goTo(1), PageUp: () => this.goTo(-1), "[": () => this.viewer.setSplit(this.viewer.split - 0.05), "]": () => this.viewer.setSplit(this.viewer.split + 0.05),
    };
    if (!acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  }
}

const clamped = (place) => place.map((v) => Math.round(Math.min(1, Math.max(0, v)) * 1e5) / 1e5);

/** Return a line's corners without those that say nothing new, at most two hundred. */
function thinned(places) {
  const kept = [clamped(places[0])];
  for (const place of places.slice(1).map(clamped)) if (Math.hypot(place[0] - kept.at(-1)[0], place[1] - kept.at(-1)[1]) > 0.004) kept.push(place);
  const step = Math.ceil(kept.length / 200);
  return kept.filter((_, k) => k % step === 0);
}

function disc(context, x, y, color) {
  context.beginPath();
  context.arc(x, y, 8, 0, 7);
  context.fillStyle = color;
  context.fill();
  for (const [line, width] of [["#000", 4], ["#fff", 2.2]]) {
    context.lineWidth = width;
    context.strokeStyle = line;
    context.stroke();
  }
}

function ring(context, x, y) {
  context.setLineDash([6, 5]);
  for (const [line, width] of [["#000", 5], ["#fff", 2.5]]) {
    context.beginPath();
    context.arc(x, y, 26, 0, 7);
    context.lineWidth = width;
    context.strokeStyle = line;
    context.stroke();
  }
  context.setLineDash([]);
}

customElements.define("light-table", LightTable);
