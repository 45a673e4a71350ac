// The light table: one photograph, what can be said of it, and its history.

import { DamageMask } from "./damage.js";
import { button, make, toast } from "./elements.js";
import { faultText, thereName } from "./faults.js";
import { FilmFrames, filmPart } from "./film.js";
import { icon } from "./icons.js";
import { LookHistory } from "./look.js";
import { brushPart, lookPart, questionPart, restorePart, savePart } from "./parts.js";
import { ask, isShown, picture, tell, upload } from "./server.js";
import { Strokes } from "./strokes.js";
import { PhotoViewer } from "./viewer.js";
import { t } from "./words.js";

const PARTS = [["sliders", "lookPart", lookPart], ["brush", "brush", brushPart], ["question", "questions", questionPart], ["restore", "restore", restorePart], ["save", "save", savePart]];
const OF_FILMS = [["album", "shots", filmPart], ...PARTS.filter(([, words]) => words !== "restore")];

export class LightTable extends HTMLElement {
  constructor(photo, photos) {
    super();
    this.photo = photo;
    this.photos = photos;
    this.notes = photo.notes;
    this.known = 0;  // changes that the news have told of
    this.saving = null;  // while it is saved: the change that began it
    this.history = new LookHistory(this, photo);
    this.strokes = new Strokes(this);
    this.mask = new DamageMask(this);
    this.frames = photo.kind === "film" ? new FilmFrames(this) : null;
    this.parts = this.frames ? OF_FILMS : PARTS;
  }

  get look() { return this.history.current; }
  get hints() { return this.frames?.hints ?? this.look.hints ?? []; }
  get isPainting() { return this.parts[this.chosen][1] === "brush"; }

  /** Return where the studio answers for this photograph, of a film for the frame that is shown. */
  address(what) { return `/studio/photos/${this.photo.id}/${what}${this.frames ? `?frame=${this.frames.current}` : ""}`; }

  connectedCallback() {
    this.replaceChildren(this.makeRail(), this.viewer = new PhotoViewer(), this.makePanel());
    this.viewer.open(this.photo);
    for (const side of ["before", "after"]) this.viewer.setImage(side, picture(this.photo, side)).catch(() => {});
    this.strokes.listen(this.viewer);
    this.viewer.onwantfull = () => this.wantFull();
    document.addEventListener("keydown", this.pressed = (event) => this.key(event));
    document.addEventListener("keyup", this.released = (event) => { if (event.key === "b") this.viewer.hold(false); });
    this.choose(0);
    this.show(this.photo);
    if (!this.frames) this.mask.recall().catch((error) => toast(error, "bad"));
  }

  makeRail() {
    this.backButton = button("back", t("back"), () => { location.hash = ""; });
    return make("div", { class: "rail" }, this.backButton, make("h1", {}, this.photo.name),
      button("back", t("previous"), () => this.goTo(-1), { quiet: true }), button("next", t("next"), () => this.goTo(1), { quiet: true }));
  }

  makePanel() {
    this.place = make("div", { role: "tabpanel", id: "part" });
    this.tabButtons = this.parts.map(([name, words], k) => make("button", { type: "button", role: "tab", id: `tab-${words}`, "aria-controls": "part", onclick: () => this.choose(k) }, icon(name), t(words)));
    const tabs = make("div", { class: "tabs", role: "tablist" }, ...this.tabButtons);
    tabs.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      this.choose((this.chosen + step + this.parts.length) % this.parts.length);
      this.tabButtons[this.chosen].focus();
      event.stopPropagation();
    });
    return make("aside", { class: "panel", "aria-label": t("opened", { name: this.photo.name }) }, tabs, this.place);
  }

  goTo(step) {
    const ids = [...this.photos.values()].filter((one) => isShown(one) || one.id === this.photo.id).map((one) => one.id);
    location.hash = ids.at((ids.indexOf(this.photo.id) + step) % ids.length);
  }

  focusFirst() { this.backButton.focus({ preventScroll: true }); }

  leave() {
    document.removeEventListener("keydown", this.pressed);
    document.removeEventListener("keyup", this.released);
    this.history.settle();
  }

  choose(k) {
    this.section?.leave?.();
    this.chosen = k;
    this.section = this.parts[k][2](this);
    this.place.replaceChildren(this.section);
    this.place.setAttribute("aria-labelledby", this.tabButtons[k].id);
    for (const [at, tab] of this.tabButtons.entries()) { tab.setAttribute("aria-selected", String(at === k)); tab.tabIndex = at === k ? 0 : -1; }
    this.viewer.setTool(this.isPainting ? "brush" : "move");
    this.showMask();
  }

  open(words) {
    const k = this.parts.findIndex(([, name]) => name === words);
    if (k >= 0) this.choose(k);
  }

  /** Hear the news: this photograph where it has changed, and of how many changes they know. */
  hear(photo, known) {
    this.known = known;
    if (photo) this.show(photo);
    this.tellSaved();
  }

  /** Follow what the server says of this photograph. */
  show(photo) {
    const before = this.photo;
    this.photo = this.viewer.photo = photo;
    this.viewer.full = photo.full === "done";
    this.tellWork();
    this.history.follow(photo);
    if (photo.revision !== before.revision && !this.history.isAhead) this.renewed(photo);
    this.viewer.draw();
    this.section?.update();
  }

  /** It has been coloured anew: by what was said here, or in another tab. */
  renewed(photo) {
    if (this.frames && !this.frames.isPoster) {
      this.history.preview();
      return;
    }
    this.viewer.setImage("after", picture(photo, "after")).catch(() => {});
    this.notes = photo.notes;
  }

  /** Show another frame of the film, before and, as soon as it is made, after. */
  async showFrame() {
    await this.viewer.setImage("before", this.address("before"));
    await this.history.preview();
    this.dataset.frame = this.frames.current;
    this.section.update();
  }

  tellWork() {
    this.viewer.busy.hidden = this.photo.full !== "working" && !this.isFinding;
    this.viewer.busy.textContent = t(this.isFinding ? "finding" : "fullSize");
  }

  setFinding(on) {
    this.isFinding = on;
    this.tellWork();
  }

  setHints(hints) { this.history.change(this.frames?.withHints(hints) ?? { hints }); }

  lookChanged() {
    this.section.update();
    this.viewer.full = false;
    this.viewer.draw();
  }

  /** Show a picture that has been made of the look, and what was decided. */
  async showResult(blob, notes) {
    await this.viewer.setImage("after", blob);
    this.notes = notes;
    this.dataset.shown = String(1 + Number(this.dataset.shown ?? 0));
    if (this.isGuessing) this.showGuess(true);
    this.section.update();
  }

  async showMask() {
    await this.viewer.setLayer("mask", this.parts[this.chosen][1] === "restore" ? this.mask.picture : null);
    this.section.update();
  }

  async question(what) {
    try {
      return await tell(this.address(what), this.look);
    } catch (error) {
      toast(error, "bad");
      return null;
    }
  }

  async showGuess(on) {
    this.isGuessing = on;
    try {
      const answer = on ? await ask(this.address("uncertainty"), { method: "POST", json: this.look }) : null;
      await this.viewer.setLayer("guess", answer && await answer.blob());
    } catch (error) {
      toast(error, "bad");
    }
  }

  async lend(files) {
    for (const file of files) {
      try {
        await this.history.settle();
        await tell(this.address("references"), { upload: await upload(file) });
      } catch (error) {
        toast(error, "bad", file.name);
      }
    }
    this.history.preview();
  }

  async lendNothing() {
    await tell(this.address("references"), {}, "DELETE").catch((error) => toast(error, "bad"));
    this.history.preview();
  }

  point(question) {
    this.asked = question;
    this.viewer.draw();
  }

  /** Show which hint is meant, for whoever moves it by keys. */
  pointAtHint(k) {
    this.strokes.pointed = k;
    this.viewer.draw();
  }

  useTool(tool) {
    this.viewer.setTool(tool);
    this.section.update();
  }

  stop() { tell(this.address("stop")).catch((error) => toast(error, "bad")); }

  /** Have it made at full size, once, because somebody looks closer than the screen-size copy shows. */
  wantFull() {
    if (this.photo.full || this.history.isAhead || this.isWanted === this.photo.asked) return;
    this.isWanted = this.photo.asked;
    tell(this.address("save"), { save: false }).catch((error) => toast(error, "bad"));
  }

  async save() {
    try {
      await this.history.settle();
      const again = this.photo.is_original && Boolean(thereName(this.photo.full_error));
      const photo = await tell(this.address("save"), { save: true, overwrite: again });
      this.saving = photo.changes_made;
      if (photo.full === "working") this.tellSaved();  // the news of its end may have come before the answer
      else this.saved(photo);
    } catch (error) {
      toast(error, "bad");
    }
  }

  /** Tell how saving ended, once the news know of its beginning: older ones tell of something else. */
  tellSaved() {
    if (this.saving !== null && this.known >= this.saving && this.photo.full !== "working") this.saved(this.photo);
  }

  saved(photo) {
    this.saving = null;
    if (photo.full_error) toast(faultText(photo.full_error, photo.full_error_kind), "bad");
    else if (photo.full !== "done") toast(t("changedMeanwhile"));
    else if (photo.is_original) toast(t("saved", { name: photo.saved }));
    else make("a", { href: this.address("files/result"), download: photo.files.result }).click();
    this.section.update();
  }

  key(event) {
    const isUndo = event.key.toLowerCase() === "z";
    if (event.target.closest?.("input, select, textarea") || event.altKey || ((event.ctrlKey || event.metaKey) && !isUndo)) return;
    const { viewer } = this;
    const acts = {
      Escape: () => { location.hash = ""; }, b: () => viewer.hold(true), c: () => viewer.nextMode(),
      h: () => this.open("brush"), q: () => this.open("questions"), r: () => this.open("restore"), s: () => this.open("save"),
      z: () => this.history.step(-1), Z: () => this.history.step(1), PageDown: () => this.goTo(1), PageUp: () => this.goTo(-1),
      "+": () => viewer.zoom(1.6), "-": () => viewer.zoom(1 / 1.6), 0: () => viewer.fit(), 1: () => viewer.zoom(1 / devicePixelRatio / viewer.scale),
      "[": () => viewer.setSplit(viewer.split - 0.05), "]": () => viewer.setSplit(viewer.split + 0.05),
    };
    if (!acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  }
}

customElements.define("light-table", LightTable);
