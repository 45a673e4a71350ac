// The viewer: before and after on one canvas, zoomed and moved together, from the whole picture to single pixels.

import { colorOf } from "./colors.js";
import { button, make } from "./elements.js";
import { ask } from "./server.js";
import { t } from "./words.js";

const TILE = 512;
const MODES = ["slider", "side", "one"];
const LARGEST = 32;
const MOST_TILES = 160;

export class PhotoViewer extends HTMLElement {
  mode = "slider";
  split = 0.5;
  scale = 1;
  x = 0;
  y = 0;
  images = { before: null, after: null };
  shown = { before: 0, after: 0 };  // which of the pictures that were asked for
  asked = 0;
  layers = new Map();
  tiles = new Map();
  marks = [];
  cross = null;
  full = false;
  tool = "move";

  /** Show a photograph of this size. */
  open(photo) {
    this.photo = photo;
    this.width = photo.width;
    this.height = photo.height;
    this.build();
    new ResizeObserver(() => this.resized()).observe(this);
  }

  build() {
    this.canvas = make("canvas", { tabIndex: 0, role: "img", "aria-label": t("panLabel") });
    this.divider = make("div", { class: "divider", role: "slider", tabIndex: 0, "aria-label": t("divider"), "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": 50 });
    this.sides = make("div", { class: "sides", "aria-hidden": "true" }, make("span", {}, t("before")), make("span", {}, t("after")));
    this.zoomText = make("span", { class: "zoom" }, "");
    this.compareButton = button("compare", t("compare"), () => this.nextMode(), { quiet: true });
    this.holdButton = button("eye", t("hold"), () => {}, { quiet: true });
    for (const [event, on] of [["pointerdown", true], ["pointerup", false], ["pointerleave", false]]) this.holdButton.addEventListener(event, () => this.hold(on));
    this.holdButton.addEventListener("keydown", (event) => { if (event.key === " " || event.key === "Enter") this.hold(true); });
    this.holdButton.addEventListener("keyup", () => this.hold(false));
    const glass = make("div", { class: "glass" }, this.compareButton, this.holdButton,
      button("minus", t("zoomOut"), () => this.zoom(1 / 1.6), { quiet: true }), this.zoomText,
      button("add", t("zoomIn"), () => this.zoom(1.6), { quiet: true }), button("fit", t("fit"), () => this.fit(), { quiet: true }));
    this.busy = make("div", { class: "busy", hidden: true });
    this.replaceChildren(this.canvas, this.sides, this.divider, glass, this.busy);
    this.canvas.addEventListener("wheel", (event) => { event.preventDefault(); this.zoom(Math.exp(-event.deltaY * 0.0016), event.offsetX, event.offsetY); }, { passive: false });
    this.canvas.addEventListener("pointerdown", (event) => this.down(event));
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.divider.addEventListener("pointerdown", (event) => this.dragDivider(event));
    this.divider.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -0.02, ArrowRight: 0.02, Home: -1, End: 1 }[event.key];
      if (step) { event.preventDefault(); event.stopPropagation(); this.setSplit(this.split + step); }
    });
  }

  /** Show a picture, given itself or by its address, as one side; the one that is there stays until it is decoded. */
  async setImage(side, given) {
    const turn = (this.asked += 1);
    const blob = given instanceof Blob ? given : await (await ask(given)).blob();
    const image = await createImageBitmap(blob);  // decoded once; an <img> is decoded again as it is drawn
    if (turn < this.shown[side]) {  // it was overtaken by a later one
      image.close();
      return;
    }
    this.shown[side] = turn;
    this.images[side]?.close();
    this.images[side] = image;
    this.draw();
  }

  /** Lay a transparent picture over the photograph, or take it away. */
  async setLayer(name, blob) {
    if (blob) this.layers.set(name, await createImageBitmap(blob));
    else this.layers.delete(name);
    this.draw();
  }

  setTool(tool) {
    this.tool = tool;
    this.dataset.tool = tool;
    if (tool === "move") this.cross = null;
    this.draw();
  }

  resized() {
    const ratio = devicePixelRatio;
    this.canvas.width = Math.round(this.clientWidth * ratio);
    this.canvas.height = Math.round(this.clientHeight * ratio);
    if (!this.isMoved) this.fit();
    this.draw();
  }

  get viewWidth() { return this.mode === "side" ? this.clientWidth / 2 : this.clientWidth; }

  fit() {
    this.isMoved = false;
    this.scale = Math.min(this.viewWidth / this.width, this.clientHeight / this.height) * 0.96;
    this.x = (this.viewWidth - this.width * this.scale) / 2;
    this.y = (this.clientHeight - this.height * this.scale) / 2;
    this.draw();
  }

  zoom(factor, atX = this.viewWidth / 2, atY = this.clientHeight / 2) {
    if (this.mode === "side") atX %= this.viewWidth;
    const least = Math.min(this.viewWidth / this.width, this.clientHeight / this.height) * 0.5;
    const scale = Math.min(LARGEST, Math.max(least, this.scale * factor));
    this.x = atX - ((atX - this.x) * scale) / this.scale;
    this.y = atY - ((atY - this.y) * scale) / this.scale;
    this.scale = scale;
    this.isMoved = true;
    this.draw();
  }

  move(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.isMoved = true;
    this.draw();
  }

  nextMode() {
    this.mode = MODES[(MODES.indexOf(this.mode) + 1) % MODES.length];
    this.fit();
  }

  setSplit(split) {
    this.split = Math.min(1, Math.max(0, split));
    this.divider.setAttribute("aria-valuenow", Math.round(this.split * 100));
    this.draw();
  }

  hold(on) {
    if (this.isHeld === on) return;
    this.isHeld = on;
    this.draw();
  }

  /** Return where a point of the canvas lies in the photograph, as shares of its sides. */
  place(offsetX, offsetY) {
    const within = this.mode === "side" ? offsetX % this.viewWidth : offsetX;
    return [(within - this.x) / this.scale / this.width, (offsetY - this.y) / this.scale / this.height];
  }

  down(event) {
    if (event.button > 1) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers ??= new Map();
    this.pointers.set(event.pointerId, [event.offsetX, event.offsetY]);
    const painting = this.tool !== "move" && event.button === 0 && this.pointers.size === 1;
    const places = [this.place(event.offsetX, event.offsetY)];
    if (painting) this.onbegin?.(places[0], event);
    const moved = (next) => {
      const before = this.pointers.get(next.pointerId);
      if (!before) return;
      if (this.pointers.size === 2) this.pinch(next);
      else if (painting) {
        places.push(this.place(next.offsetX, next.offsetY));
        this.onpaint?.(places, next);
      } else this.move(next.offsetX - before[0], next.offsetY - before[1]);
      this.pointers.set(next.pointerId, [next.offsetX, next.offsetY]);
    };
    const ended = (last) => {
      this.canvas.removeEventListener("pointermove", moved);
      this.canvas.removeEventListener("pointerup", ended);
      this.canvas.removeEventListener("pointercancel", ended);
      this.pointers.delete(last.pointerId);
      if (painting && last.type === "pointerup") this.onpainted?.(places);
    };
    this.canvas.addEventListener("pointermove", moved);
    this.canvas.addEventListener("pointerup", ended);
    this.canvas.addEventListener("pointercancel", ended);
  }

  pinch(event) {
    const [[, other]] = [...this.pointers].filter(([id]) => id !== event.pointerId);
    const before = this.pointers.get(event.pointerId);
    const was = Math.hypot(before[0] - other[0], before[1] - other[1]);
    const is = Math.hypot(event.offsetX - other[0], event.offsetY - other[1]);
    if (was > 4) this.zoom(is / was, (event.offsetX + other[0]) / 2, (event.offsetY + other[1]) / 2);
  }

  dragDivider(event) {
    this.divider.setPointerCapture(event.pointerId);
    const left = this.getBoundingClientRect().left;
    const moved = (next) => this.setSplit((next.clientX - left) / this.clientWidth);
    this.divider.addEventListener("pointermove", moved);
    this.divider.addEventListener("pointerup", () => this.divider.removeEventListener("pointermove", moved), { once: true });
  }

  key(event) {
    const arrows = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (arrows && this.tool !== "move") {
      this.cross ??= [0.5, 0.5];
      const step = (event.shiftKey ? 40 : 8) / this.scale;
      this.cross = [this.cross[0] - (arrows[0] * step) / this.width, this.cross[1] - (arrows[1] * step) / this.height].map((v) => Math.min(1, Math.max(0, v)));
      this.draw();
    } else if (arrows) this.move(arrows[0] * 60, arrows[1] * 60);
    else if (event.key === "Enter" && this.cross) this.onpainted?.([this.cross]);
    else if (event.key === "+" || event.key === "=") this.zoom(1.6);
    else if (event.key === "-") this.zoom(1 / 1.6);
    else if (event.key === "0") this.fit();
    else if (event.key === "1") this.zoom(1 / devicePixelRatio / this.scale);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  draw() {
    if (this.isAsked) return;
    this.isAsked = true;
    requestAnimationFrame(() => { this.isAsked = false; if (this.isConnected) this.paint(); });
  }

  paint() {
    const context = this.canvas.getContext("2d");
    const ratio = devicePixelRatio;
    const [width, height] = [this.clientWidth, this.clientHeight];
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const isSlider = this.mode === "slider" && !this.isHeld;
    if (this.isHeld) this.paintSide("before", 0, width, 0);
    else if (this.mode === "side") {
      this.paintSide("before", 0, width / 2, 0);
      this.paintSide("after", width / 2, width, width / 2);
    } else {
      const edge = isSlider ? this.split * width : 0;
      this.paintSide("before", 0, edge, 0);
      this.paintSide("after", edge, width, 0);
    }
    this.divider.hidden = !isSlider;
    this.divider.style.left = `${this.split * 100}%`;
    this.sides.hidden = this.mode === "one" && !this.isHeld;
    this.sides.lastChild.hidden = Boolean(this.isHeld);
    this.zoomText.textContent = `${Math.round(this.scale * ratio * 100)} %`;
  }

  paintSide(side, from, to, shift) {
    const context = this.canvas.getContext("2d");
    const image = this.images[side];
    if (!image || to <= from) return;
    context.save();
    context.beginPath();
    context.rect(from, 0, to - from, this.clientHeight);
    context.clip();
    context.translate(this.x + shift, this.y);
    const [width, height] = [this.width * this.scale, this.height * this.scale];
    const ratio = devicePixelRatio;
    context.imageSmoothingEnabled = true;
    context.drawImage(image, 0, 0, width, height);
    const isWhole = image.width >= this.width;
    const larger = isWhole ? this.scale * ratio >= 4 : this.scale * ratio > (image.width / this.width) * 1.05;
    if (larger && this.photo.kind === "photo") this.paintTiles(context, side, from - shift, to - shift);
    if (side === "after") for (const layer of this.layers.values()) context.drawImage(layer, 0, 0, width, height);
    for (const mark of this.marks) mark(context, this.scale, this.width, this.height);
    if (this.cross) paintCross(context, this.cross[0] * width, this.cross[1] * height);
    context.restore();
  }

  paintTiles(context, side, from, to) {
    if (side === "after" && !this.full) {
      this.onwantfull?.();
      return;
    }
    const ratio = devicePixelRatio;
    const deepest = Math.max(0, Math.ceil(Math.log2(Math.max(this.width, this.height) / TILE)));
    const level = Math.min(deepest, Math.max(0, Math.floor(Math.log2(1 / (this.scale * ratio)) + 0.01)));
    const span = TILE * 2 ** level * this.scale;
    context.imageSmoothingEnabled = this.scale * ratio < 2;
    const [columns, rows] = [Math.ceil(this.width / (TILE * 2 ** level)), Math.ceil(this.height / (TILE * 2 ** level))];
    const first = [Math.max(0, Math.floor((from - this.x) / span)), Math.max(0, Math.floor(-this.y / span))];
    const last = [Math.min(columns - 1, Math.floor((to - this.x) / span)), Math.min(rows - 1, Math.floor((this.clientHeight - this.y) / span))];
    for (let row = first[1]; row <= last[1]; row += 1) {
      for (let column = first[0]; column <= last[0]; column += 1) {
        const image = this.tile(side, level, column, row);
        if (image) context.drawImage(image, column * span, row * span, image.naturalWidth * 2 ** level * this.scale, image.naturalHeight * 2 ** level * this.scale);
      }
    }
  }

  tile(side, level, column, row) {
    const address = `/studio/photos/${this.photo.id}/tiles/${side}/${level}/${column}/${row}?r=${side === "after" ? this.photo.asked : 0}`;
    const known = this.tiles.get(address);
    if (known) {
      this.tiles.delete(address);
      this.tiles.set(address, known);
      return known.complete && known.naturalWidth ? known : null;
    }
    const image = new Image();
    image.onload = () => this.draw();
    image.src = address;
    this.tiles.set(address, image);
    while (this.tiles.size > MOST_TILES) this.tiles.delete(this.tiles.keys().next().value);
    return null;
  }

  /** Return the colour that is shown at a place, as #rrggbb. */
  colorAt([x, y]) {
    return colorOf(this.images.after, x, y);
  }
}

function paintCross(context, x, y) {
  for (const [color, width] of [["#000", 4], ["#fff", 2]]) {
    context.strokeStyle = color;
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(x - 14, y);
    context.lineTo(x + 14, y);
    context.moveTo(x, y - 14);
    context.lineTo(x, y + 14);
    context.stroke();
  }
}

customElements.define("photo-viewer", PhotoViewer);
