// What lies across a clear edge of a strange hint is told to stay as it is, as in photochrom's hints/anchoring.py.

import { carryReach } from "./hints.js";
import { boxMean, cellPlaces } from "./resample.js";

const STRANGE_AB = 20, STRANGEST_AB = 40, FOLD_LUMA = 0.03, EDGE_LUMA = 0.05;
const NEAR = 0.5, NARROWEST = 0.04, ANCHOR_WEIGHT = 0.5, ROUNDS = 8;

/** Planes a*, b* and weight with anchors; shown = { ab, columns, rows } are the colours without hints. */
export function anchor(said, luma, width, height, shown) {
  const count = width * height, weight = said.subarray(2 * count), ab = enlarged(shown, width, height);
  const strange = Float64Array.from(weight, (value, at) => {
    const apart = Math.hypot(said[at] - ab[at], said[count + at] - ab[count + at]);
    return value && Math.min(Math.max((apart - STRANGE_AB) / (STRANGEST_AB - STRANGE_AB), 0), 1) * value;
  });
  const strangest = strange.reduce((one, other) => Math.max(one, other), 0);
  if (!strangest) return said;
  const across = acrossEdges(strange, luma, width, height), out = Float32Array.from(said);
  for (let at = 0; at < count; at++) {
    if (!across[at] || weight[at]) continue;
    [out[at], out[count + at], out[2 * count + at]] = [ab[at], ab[count + at], ANCHOR_WEIGHT * strangest];
  }
  return out;
}

/** The places near strange hints that only a walk across a clear edge reaches, but for narrow ones. */
function acrossEdges(strange, luma, width, height) {
  const short = Math.min(width, height), smooth = boxMean(Float64Array.from(luma), width, height);
  const excess = (at, from) => Math.max(Math.abs(smooth[at] - smooth[from]) - FOLD_LUMA, 0);
  const edges = {
    across: smooth.map((_, at) => (at % width ? excess(at, at - 1) : 0)),
    down: smooth.map((_, at) => (at >= width ? excess(at, at - width) : 0)),
  };
  const even = { across: smooth.map(() => 1), down: smooth.map(() => 1) };
  const reached = reachOf(strange, EDGE_LUMA, edges, ROUNDS, width, height);
  const near = reachOf(strange, NEAR * short, even, 1, width, height);
  const parted = Uint8Array.from(near, (left, at) => left > 0 && !(reached[at] > 0));
  const radius = Math.max(1, evenly((NARROWEST * short) / 2));
  return whole(whole(parted, 1, width, radius), width, height, radius);
}

/** Rounded as Python rounds: halves to the even number. */
function evenly(value) {
  const low = Math.floor(value);
  return value - low === 0.5 ? low + (low % 2) : Math.round(value);
}

function reachOf(strange, reach, { across, down }, rounds, width, height) {
  const left = strange.map((value) => (value > 0 ? reach : -1));
  for (let round = 0; round < rounds; round++) {
    carryReach(left, across, 1, width);
    carryReach(left, down, width, height);
  }
  return left;
}

/** Where all within a radius is set, along lines of so many cells, apart by a stride. */
function whole(plane, stride, cells, radius) {
  return plane.map((_, at) => {
    const place = Math.floor(at / stride) % cells;
    for (let by = -Math.min(radius, place); by <= Math.min(radius, cells - 1 - place); by++) {
      if (!plane[at + by * stride]) return 0;
    }
    return 1;
  });
}

function enlarged({ ab, columns, rows }, width, height) {
  const across = cellPlaces(columns, width), down = cellPlaces(rows, height), out = new Float32Array(2 * width * height);
  for (let at = 0; at < out.length; at++) {
    const place = at % (width * height), x = place % width, y = Math.floor(place / width);
    const from = (at >= width * height ? columns * rows : 0) + down.before[y] * columns + across.before[x];
    const right = columns > 1 ? 1 : 0, below = rows > 1 ? columns : 0;
    const mix = (cell) => ab[cell] + across.share[x] * (ab[cell + right] - ab[cell]);
    out[at] = mix(from) + down.share[y] * (mix(from + below) - mix(from));
  }
  return out;
}
