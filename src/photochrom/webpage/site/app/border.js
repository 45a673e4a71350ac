// A plain border around a photograph is no part of it, as in photochrom's border.py: paper, a holder's black, bars.

import { percentiles } from "./luma.js";

const ALIKE = 0.06, WRITTEN_ON = 0.04, MOST = 0.6, LEANING = 0.03, LEAST_LEFT = 0.25, LAYERS = 3, SMALLEST_PX = 64;

/** The part of a plane (0..1) that no plain border surrounds, to measure tones in: all of it, where there is none. */
export function insidePlane(plane, width, height) {
  const whole = plane, [leastWidth, leastHeight] = [LEAST_LEFT * width, LEAST_LEFT * height];
  for (let layer = 0; layer < LAYERS && Math.min(width, height) >= SMALLEST_PX; layer++) {
    const [top, bottom, left, right] = thicknesses(plane, width, height);
    const columns = width - left - right, rows = height - top - bottom;
    if ((columns === width && rows === height) || columns < leastWidth || rows < leastHeight) break;
    plane = cut(plane, width, left, top, columns, rows);
    [width, height] = [columns, rows];
  }
  if (plane === whole) return plane;
  const across = Math.ceil(LEANING * width), down = Math.ceil(LEANING * height);
  return cut(plane, width, across, down, width - 2 * across, height - 2 * down);
}

function cut(plane, width, left, top, columns, rows) {
  const from = (at) => (top + Math.floor(at / columns)) * width + left + (at % columns);
  return Float32Array.from({ length: columns * rows }, (_, at) => plane[from(at)]);
}

function thicknesses(plane, width, height) {
  const views = [
    { rows: height, columns: width, at: (row, column) => plane[row * width + column] },
    { rows: height, columns: width, at: (row, column) => plane[(height - 1 - row) * width + column] },
    { rows: width, columns: height, at: (row, column) => plane[column * width + row] },
    { rows: width, columns: height, at: (row, column) => plane[column * width + width - 1 - row] },
  ];
  for (const view of views) {
    [view.tone] = percentiles(Float32Array.from({ length: view.columns }, (_, column) => view.at(0, column)), [50]);
    view.away = (row, from, to) => {
      let count = 0;
      for (let column = from; column < to; column++) count += Math.abs(view.at(row, column) - view.tone) > ALIKE ? 1 : 0;
      return count / (to - from);
    };
    view.plain = 0;
    while (view.plain < view.rows && view.away(view.plain, 0, view.columns) <= WRITTEN_ON) view.plain++;
  }
  const plain = views.map((view) => view.plain);
  const ends = views.map((view, which) => end(view, ...(which < 2 ? plain.slice(2) : plain.slice(0, 2))));
  const found = views.filter((_, which) => ends[which]).map((view) => view.tone);
  const alike = found.some((tone, at) => found.slice(at + 1).some((other) => Math.abs(tone - other) <= 2 * ALIKE));
  return alike ? ends : [0, 0, 0, 0];
}

function end({ rows, columns, plain, away }, before, after) {
  if (plain === 0 || plain >= rows || before + after >= columns) return 0;
  const count = Math.min(Math.max(2, Math.ceil(LEANING * rows)), rows - plain);
  const shares = Array.from({ length: count }, (_, row) => away(plain + row, before, columns - after));
  const most = Math.max(...shares);
  return most < MOST ? 0 : plain + 1 + shares.findIndex((share) => share >= 0.95 * most);
}
