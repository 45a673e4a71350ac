// Saying colours: a layer over the photograph that takes clicks and keys, and the list of what was said.

const STEP = 0.01, LONG_STEP = 0.05, DECIMALS = 1e4;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Hinting {
  /** layer: lies over the photograph. list: of hints. color: the input. nameOf(n): what removing the n-th is called. */
  constructor({ layer, list, color, nameOf, onchange }) {
    Object.assign(this, { layer, list, color, nameOf, onchange, hints: [] });
    layer.addEventListener("click", (event) => this.clicked(event));
    layer.addEventListener("keydown", (event) => this.pressed(event));
  }

  /** Shows the layer and its dots, or takes them away. */
  show(on) {
    this.layer.hidden = !on;
    if (on) this.layer.focus({ preventScroll: true });
    this.draw();
  }

  /** Forgets everything, as for another photograph. */
  clear() {
    this.hints = [];
    this.cross = null;
    this.draw();
  }

  add(point) {
    const rounded = point.map((share) => Math.round(Math.min(Math.max(share, 0), 1) * DECIMALS) / DECIMALS);
    this.change([...this.hints, { point: rounded, color: this.color.value }]);
  }

  remove(at) {
    this.change(this.hints.filter((_, k) => k !== at));
  }

  change(hints) {
    this.hints = hints;
    this.draw();
    this.onchange();
  }

  clicked({ offsetX, offsetY, detail }) {
    if (detail) this.add([offsetX / this.layer.clientWidth, offsetY / this.layer.clientHeight]);
  }

  pressed(event) {
    const arrow = ARROWS[event.key], step = event.shiftKey ? LONG_STEP : STEP;
    if (arrow) this.cross = (this.cross ?? [0.5, 0.5]).map((share, axis) => Math.min(Math.max(share + arrow[axis] * step, 0), 1));
    else if (event.key === "Enter") this.add(this.cross ?? [0.5, 0.5]);
    else if (event.key === "Backspace" && this.hints.length) this.remove(this.hints.length - 1);
    else return;
    event.preventDefault();
    this.draw();
  }

  draw() {
    const marks = this.hints.map(({ point, color }) => mark("dot", point, color));
    if (this.cross) marks.push(mark("cross", this.cross));
    this.layer.replaceChildren(...marks);
    this.list.replaceChildren(...this.hints.map((hint, at) => this.row(hint, at)));
  }

  row({ color }, at) {
    const item = document.createElement("li"), remove = document.createElement("button"), swatch = mark("swatch", [0, 0], color);
    remove.type = "button";
    remove.textContent = "×";
    remove.setAttribute("aria-label", this.nameOf(at + 1));
    remove.addEventListener("click", () => {
      this.remove(at);
      const rows = this.list.querySelectorAll("button");
      (rows[Math.min(at, rows.length - 1)] ?? this.color).focus();  // the one that was pressed is gone
    });
    item.append(swatch, color, remove);
    return item;
  }

  /** The hints as the file that photochrom --hints reads. */
  asFile() {
    return new Blob([JSON.stringify({ photochrom_hints: 1, hints: this.hints }, null, 1)], { type: "application/json" });
  }
}

function mark(kind, [x, y], color = "") {
  const made = document.createElement("span");
  made.className = kind;
  made.style.left = `${x * 100}%`;
  made.style.top = `${y * 100}%`;
  made.style.background = color;
  return made;
}
