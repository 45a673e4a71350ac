// A photograph's luma, as in photochrom's luma.py: exact integer codes, the net's small copy, and its tones.

import { insidePlane } from "./border.js";
import { blockMean, resize } from "./resample.js";

// Pillow's 16.16 fixed point: what convert("L") of the result gives, to the last tie.
const RED = 19595, GREEN = 38470, BLUE = 7471, HALF = 32768, SHIFT = 16;
const BLACK_PERCENTILE = 0.5, WHITE_PERCENTILE = 99.5;
const FADED_RANGE = 0.60, DARK_MEDIAN = 0.15, FLAT_RANGE = 0.04;
const STRETCHED_BLACK = 0.03, STRETCHED_WHITE = 0.97, LIFTED_MEDIAN = 0.30;

/** Rounded BT.601 luma of 8-bit sRGB: the integer rule. */
export function lumaCode(red, green, blue) {
  return (RED * red + GREEN * green + BLUE * blue + HALF) >> SHIFT;
}

/**
 * The luma (0..1) at the size of the net's copy, and its means on the chroma grid.
 * codes: Uint8Array of width * height. First whole blocks are averaged, then what is left is resized.
 */
export function shrinkLuma(codes, width, height, netWidth, netHeight, stride) {
  const side = Math.max(1, Math.min(Math.floor(width / (3 * netWidth)), Math.floor(height / (3 * netHeight))));
  const means = blockMean(codes, width, height, side, 1 / 255);
  const net = resize(means.plane, means.width, means.height, netWidth, netHeight, [width / side, height / side]);
  for (let at = 0; at < net.length; at++) net[at] = Math.min(Math.max(net[at], 0), 1);
  return { net, cell: blockMean(net, netWidth, netHeight, stride).plane };
}

/** Values below which so many percent of a plane lie, interpolated linearly. */
export function percentiles(plane, percents) {
  const sorted = Float32Array.from(plane).sort();
  return percents.map((percent) => {
    const place = (percent / 100) * (sorted.length - 1), below = Math.floor(place);
    const above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  });
}

/** Whether there is nothing to recognise: a blank page, a single pixel. */
export function isBlank(plane) {
  const [black, white] = percentiles(plane, [BLACK_PERCENTILE, WHITE_PERCENTILE]);
  return white - black < FLAT_RANGE;
}

/** The net's copy with its tones stretched if what no plain border surrounds is faded or dark; only what the net sees changes. */
export function normalizeTone(plane, width, height) {
  const within = insidePlane(plane, width, height);
  let [black, median, white] = percentiles(within, [BLACK_PERCENTILE, 50, WHITE_PERCENTILE]);
  const spread = white - black;
  if (spread < FLAT_RANGE) return plane;
  if (spread < FADED_RANGE) {
    const gain = (STRETCHED_WHITE - STRETCHED_BLACK) / spread;
    const stretched = (value) => (value - black) * gain + STRETCHED_BLACK;
    plane = plane.map((value) => Math.min(Math.max(stretched(value), 0), 1));
    median = stretched(median);
  }
  if (median > 0 && median < DARK_MEDIAN) {
    const exponent = Math.max(0.5, Math.log(LIFTED_MEDIAN) / Math.log(median));
    plane = plane.map((value) => value ** exponent);
  }
  return plane;
}
