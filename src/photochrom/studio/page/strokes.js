// What is said by hand on the photograph: hints set, moved and painted, colours taken, the mask of damage corrected.

import { cssColor } from "./colors.js";

const SHORTEST_STROKE = 0.008;
const LEAST_WIDTH = 0.004;
const GRASP_PX = 12;

export class Strokes {
  constructor(table) {
    this.table = table;
    this.brush = { color: "#2e6b4f", width: 0.01, reach: 0.2 };
  }

  listen(viewer) {
    viewer.marks.push((...given) => this.paintMarks(...given));
    viewer.onbegin = (place) => this.begin(place);
    viewer.onpaint = (places) => this.painting(places);
    viewer.onpainted = (places) => this.painted(places);
  }

  begin(place) {
    const { viewer, hints, photo } = this.table;
    this.dragged = null;
    if (viewer.tool !== "brush") return;
    const away = ([x, y]) => Math.hypot((x - place[0]) * photo.width, (y - place[1]) * photo.height);
    const at = hints.findLastIndex((hint) => away(handle(hint)) < GRASP_PX / viewer.scale);
    if (at >= 0) this.dragged = { at, from: handle(hints[at]), place: handle(hints[at]) };
  }

  painting(places) {
    if (this.dragged) this.dragged.place = clamped(places.at(-1));
    else this.stroke = { places, tool: this.table.viewer.tool };
    this.table.viewer.draw();
  }

  painted(places) {
    const { viewer, hints } = this.table, { tool } = viewer, { dragged } = this;
    this.stroke = this.dragged = null;
    if (tool === "drops") {
      this.brush.color = viewer.colorAt(places[0]);
      this.table.useTool("brush");
    } else if (dragged && places.length > 1) {
      this.move(dragged.at, dragged.place.map((v, k) => v - dragged.from[k]));
    } else if (tool === "brush" && !dragged) {
      this.table.setHints([...hints, this.hint(places)]);
    } else if (tool === "add" || tool === "remove") {
      this.table.mask.add({ mode: tool, points: thinned(places), width: Math.max(LEAST_WIDTH, this.brush.width) });
    }
    viewer.draw();
  }

  /** Move a hint by shares of the picture's sides. */
  move(at, by) {
    this.table.setHints(this.table.hints.map((hint, k) => (k === at ? moved(hint, by) : hint)));
  }

  hint(places) {
    const points = thinned(places);
    const { color, width, reach } = this.brush;
    const length = points.slice(1).reduce((sum, [x, y], k) => sum + Math.hypot(x - points[k][0], y - points[k][1]), 0);
    return length < SHORTEST_STROKE ? { point: points[0], color, width, reach } : { stroke: points, color, width, reach };
  }

  paintMarks(context, scale, width, height) {
    const at = ([x, y]) => [x * width * scale, y * height * scale];
    const thickness = (share) => Math.max(3, share * Math.min(width, height) * scale);
    if (this.table.isPainting) {
      for (const [k, hint] of this.table.hints.entries()) {
        const shown = this.dragged?.at === k ? moved(hint, this.dragged.place.map((v, axis) => v - this.dragged.from[axis])) : hint;
        if (shown.stroke) line(context, shown.stroke.map(at), cssColor(hint.color), thickness(0));
        disc(context, ...at(handle(shown)), cssColor(hint.color), this.pointed === k);
      }
    }
    if (this.stroke) {
      const color = { add: "#e63c28aa", remove: "#ffffffaa" }[this.stroke.tool] ?? this.brush.color;
      line(context, this.stroke.places.map(at), color, thickness(Math.max(LEAST_WIDTH, this.brush.width)));
    }
    if (this.table.asked) ring(context, ...at(this.table.asked.point));
  }
}

/** Return the place where a hint is taken hold of. */
const handle = (hint) => hint.point ?? (hint.stroke ?? hint.region)[0];

/** Return a hint that lies elsewhere, within the picture. */
function moved(hint, by) {
  const name = ["point", "stroke", "region"].find((one) => hint[one]), places = name === "point" ? [hint.point] : hint[name];
  const within = by.map((step, axis) => Math.min(1 - Math.max(...places.map((p) => p[axis])), Math.max(-Math.min(...places.map((p) => p[axis])), step)));
  const there = places.map((place) => clamped(place.map((v, axis) => v + within[axis])));
  return { ...hint, [name]: name === "point" ? there[0] : there };
}

const clamped = (place) => place.map((v) => Math.round(Math.min(1, Math.max(0, v)) * 1e5) / 1e5);

/** Return a line's corners without those that say nothing new, at most two hundred. */
function thinned(places) {
  const kept = [clamped(places[0])];
  for (const place of places.slice(1).map(clamped)) {
    if (Math.hypot(place[0] - kept.at(-1)[0], place[1] - kept.at(-1)[1]) > 0.004) kept.push(place);
  }
  const step = Math.ceil(kept.length / 200);
  return kept.filter((_, k) => k % step === 0);
}

function line(context, places, color, thickness) {
  context.lineCap = context.lineJoin = "round";
  context.lineWidth = thickness;
  context.strokeStyle = color;
  context.beginPath();
  for (const [k, place] of places.entries()) context[k ? "lineTo" : "moveTo"](...place);
  context.stroke();
}

function disc(context, x, y, color, isPointed) {
  context.beginPath();
  context.arc(x, y, isPointed ? 12 : 8, 0, 7);
  context.fillStyle = color;
  context.fill();
  outlined(context, 4, 2.2);
}

function ring(context, x, y) {
  context.setLineDash([6, 5]);
  context.beginPath();
  context.arc(x, y, 26, 0, 7);
  outlined(context, 5, 2.5);
  context.setLineDash([]);
}

function outlined(context, dark, light) {
  for (const [color, width] of [["#000", dark], ["#fff", light]]) {
    context.lineWidth = width;
    context.strokeStyle = color;
    context.stroke();
  }
}
