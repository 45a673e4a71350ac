// Colours that a person knows, as in photochrom's hints/ and obedience.py: laid onto a grid, told to the net, and obeyed.
// A hint is { point: [x, y], color: "#rrggbb" }, places as shares of the sides; it has the finest width.

import { chromaFromAb, labFromSrgb, mergeLumaChroma } from "./color.js";
import { REACH, correctAlike } from "./correction.js";
import { keepToThings } from "./hearing.js";
import { normalizeTone, shrinkLuma } from "./luma.js";
import { between, boxMean, cellPlaces, fitGuide, renderSize } from "./resample.js";

const RADIUS_CELLS = 1, SAME_THING_LUMA = Math.fround(0.1), OBEYED_PX = 256;
const EDGE_CELLS = 160, TEXTURE_LUMA = 0.01, SOFTNESS_CELLS = 3, FADING_CELLS = 8, ROUNDS = 2, TINY = 1e-300;

const clamped = (value, low, high) => Math.min(Math.max(value, low), high);

/** [a*, b*] of "#rrggbb", to a hundredth. */
export function abOfColor(color) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16) / 255);
  return labFromSrgb(red, green, blue).slice(1).map((value) => Math.round(value * 100) / 100);
}

/** Three planes on the grid of a luma plane: a*, b* and weight, 0 where nothing is said. */
export const drawHints = (...grid) => drawn(...grid).planes;

/** { planes, number }: the planes, and which hint covers a cell, -1 where there is none. The later of two hints counts. */
export function drawn(hints, luma, width, height) {
  const count = width * height, planes = new Float32Array(3 * count), number = new Int32Array(count).fill(-1);
  for (const [one, { point: [x, y], color }] of hints.entries()) {
    const ab = abOfColor(color), across = x * width - 0.5, down = y * height - 0.5;
    const middle = cellOf(down, height) * width + cellOf(across, width);
    const said = [...covered(across, down, width, height)].filter((at) => Math.fround(Math.abs(luma[at] - luma[middle])) < SAME_THING_LUMA);
    for (const at of [...said, middle]) {
      [...ab, 1].forEach((value, plane) => { planes[plane * count + at] = value; });
      number[at] = one;
    }
  }
  return { planes, number };
}

const cellOf = (place, length) => clamped(Math.floor(place + 0.5), 0, length - 1);

/** The cells of a disc three wide, as Pillow draws it: without its corners where it is whole. */
function* covered(across, down, width, height) {
  const [left, right, top, bottom] = [across - RADIUS_CELLS, across + RADIUS_CELLS, down - RADIUS_CELLS, down + RADIUS_CELLS].map(Math.trunc);
  const isRound = right - left === 2 && bottom - top === 2;
  for (let y = Math.max(top, 0); y <= Math.min(bottom, height - 1); y++) {
    for (let x = Math.max(left, 0); x <= Math.min(right, width - 1); x++) {
      if (!isRound || x === left + 1 || y === top + 1) yield y * width + x;
    }
  }
}

/**
 * { ab, cellLuma, columns, rows }: colours on a finer grid, held to what the hints say. wishes: how much of one those
 * are that are, by number; without: the colours when the net is told the others alone, or null where there are none.
 */
export function followHints(hints, photo, { ab, cellLuma, columns, rows }, wishes, without) {
  const fine = fineLuma(photo, columns, rows), cells = drawn(hints, fine.luma, fine.columns, fine.rows), said = cells.planes;
  let start = refined(ab, cellLuma, columns, rows, fine);
  if (without) start = keepToThings(start, refined(without, cellLuma, columns, rows, fine), fine.luma, cells, wishes);
  const guide = normalizeTone(fine.luma, fine.columns, fine.rows);
  const corrected = correctAlike(start, guide, said, fine.columns, fine.rows);
  return { ab: obey(corrected, guide, said, fine.columns, fine.rows), cellLuma: fine.luma, columns: fine.columns, rows: fine.rows };
}

function fineLuma({ codes, width, height }, leastColumns, leastRows) {
  let [columns, rows] = renderSize(width, height, OBEYED_PX, 1, 1);
  if (columns < leastColumns || rows < leastRows) [columns, rows] = [leastColumns, leastRows];
  return { luma: shrinkLuma(codes, width, height, columns, rows, 1).net, columns, rows };
}

function refined(ab, cellLuma, columns, rows, fine) {
  if (columns === fine.columns && rows === fine.rows) return ab;
  const { cb, cr } = chromaFromAb(cellLuma, ab), guide = fitGuide(cb, cr, cellLuma, columns, rows);
  const across = cellPlaces(columns, fine.columns), down = cellPlaces(rows, fine.rows);
  const count = fine.luma.length, out = new Float32Array(2 * count);
  for (let at = 0; at < count; at++) {
    const x = at % fine.columns, y = Math.floor(at / fine.columns);
    const [slopeCb, slopeCr, offsetCb, offsetCr] = guide.map((plane) => between(plane, columns, rows, across, x, down, y));
    const luma = fine.luma[at], rgb = mergeLumaChroma(luma, slopeCb * luma + offsetCb, slopeCr * luma + offsetCr);
    [, out[at], out[count + at]] = labFromSrgb(...rgb);
  }
  return out;
}

/** Colours that are those asked for where hints lie, and lean on them around; edges of the guide stop a hint. */
export function obey(ab, guide, said, width, height) {
  const count = width * height, weight = said.subarray(2 * count), known = Float64Array.from(weight, (value) => (value > 0 ? 1 : 0));
  const steps = stepsOf(guide, width, height);
  const wanted = [0, 1].map((plane) => known.map((is, at) => (is ? said[plane * count + at] - ab[plane * count + at] : 0)));
  const [offA, offB, shares, mass] = [...wanted, Float64Array.from(weight), known].map((plane) => walked(plane, steps, width, height));
  const left = reachLeft(known, REACH * Math.min(width, height), steps, width, height), out = Float32Array.from(ab);
  for (let at = 0; at < count; at++) {
    const all = Math.max(mass[at], TINY), fades = clamped(left[at] / FADING_CELLS, 0, 1);
    const share = known[at] ? weight[at] : (fades * shares[at]) / all;
    out[at] += share * (known[at] ? wanted[0][at] : offA[at] / all);
    out[count + at] += share * (known[at] ? wanted[1][at] : offB[at] / all);
  }
  return out;
}

/** How long the step from each cell to its left, and to its upper neighbour, is. */
function stepsOf(guide, width, height) {
  const mean = boxMean(Float64Array.from(guide), width, height), smooth = mean.map((value, at) => (guide[at] + value) / 2);
  const length = (at, from) => 1 + EDGE_CELLS * Math.max(Math.abs(smooth[at] - smooth[from]) - TEXTURE_LUMA, 0);
  return {
    across: smooth.map((_, at) => (at % width ? length(at, at - 1) : 1)),
    down: smooth.map((_, at) => (at >= width ? length(at, at - width) : 1)),
  };
}

/** What arrives in each cell of what set out from all, less the longer the walk. */
function walked(plane, { across, down }, width, height) {
  const kept = (steps) => steps.map((length) => Math.exp(-length / SOFTNESS_CELLS));
  const [keptAcross, keptDown] = [kept(across), kept(down)];
  for (let round = 0; round < ROUNDS; round++) plane = summed(summed(plane, keptAcross, 1, width), keptDown, width, height);
  return plane;
}

/** Mass that has walked both ways along lines of so many cells, apart by a stride. */
function summed(plane, kept, stride, cells) {
  const onwards = Float64Array.from(plane), back = Float64Array.from(plane);
  const place = (at) => Math.floor(at / stride) % cells;
  for (let at = 0; at < plane.length; at++) if (place(at)) onwards[at] += kept[at] * onwards[at - stride];
  for (let at = plane.length - 1; at >= 0; at--) if (place(at) < cells - 1) back[at] += kept[at + stride] * back[at + stride];
  return onwards.map((value, at) => value + back[at] - plane[at]);
}

function reachLeft(known, reach, { across, down }, width, height) {
  const left = known.map((is) => (is ? reach + 1 : -1));
  for (let round = 0; round < ROUNDS; round++) {
    carryReach(left, across, 1, width);
    carryReach(left, down, width, height);
  }
  return left;
}

function carryReach(left, steps, stride, cells) {
  const place = (at) => Math.floor(at / stride) % cells;
  for (let at = 0; at < left.length; at++) if (place(at)) left[at] = Math.max(left[at], left[at - stride] - steps[at]);
  for (let at = left.length - 1; at >= 0; at--) if (place(at) < cells - 1) left[at] = Math.max(left[at], left[at + stride] - steps[at + stride]);
}
