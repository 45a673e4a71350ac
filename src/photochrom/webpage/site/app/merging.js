// The last step: full-size luma under the upsampled chroma, row by row, rounded so that the luma is exact.

import {
  BLUE_PER_CB, GREEN_PER_CB, GREEN_PER_CR, LUMA_BLUE, LUMA_GREEN, LUMA_RED, RED_PER_CR, chromaFromAb,
} from "./color.js";
import { cellPlaces, fitGuide, linearWeights } from "./resample.js";

/**
 * A function (row, lumaCodes, from, out, at, step) that writes one row's 8-bit RGB into out, from index at on, every
 * pixel step bytes after the one before. lumaCodes holds the row from index from on.
 */
export function rowMerger(ab, cellLuma, columns, rows, width, height) {
  const { cb, cr } = chromaFromAb(cellLuma, ab);
  const guide = fitGuide(cb, cr, cellLuma, columns, rows);
  // A picture narrower than the grid gets means of its cells.
  const shrunk = width < columns ? linearWeights(columns, width) : null, cells = shrunk ? width : columns;
  const across = cellPlaces(cells, width), down = cellPlaces(rows, height);
  const lines = guide.map(() => new Float64Array(columns));
  const next = cells > 1 ? 1 : 0;
  return (row, lumaCodes, from, out, at, step) => {
    fillLines(lines, guide, columns, rows, down.before[row], down.share[row]);
    const [slopeCb, slopeCr, offsetCb, offsetCr] = shrunk ? lines.map((line) => shrunkLine(line, shrunk)) : lines;
    for (let x = 0; x < width; x++, at += step) {
      const cell = across.before[x], other = cell + next, share = across.share[x];
      const code = lumaCodes[from + x], luma = code / 255;
      const blueish = between(slopeCb[cell], slopeCb[other], share) * luma + between(offsetCb[cell], offsetCb[other], share);
      const reddish = between(slopeCr[cell], slopeCr[other], share) * luma + between(offsetCr[cell], offsetCr[other], share);
      writePixel(out, at, code, blueish, reddish);
    }
  };
}

function fillLines(lines, guide, columns, rows, above, share) {
  const top = above * columns, bottom = Math.min(above + 1, rows - 1) * columns;
  for (let k = 0; k < lines.length; k++) {
    for (let x = 0; x < columns; x++) lines[k][x] = between(guide[k][top + x], guide[k][bottom + x], share);
  }
}

const shrunkLine = (line, places) =>
  Float64Array.from(places, ([first, weights]) => weights.reduce((sum, weight, k) => sum + weight * line[first + k], 0));

const between = (one, other, share) => one + share * (other - one);

/**
 * One pixel whose luma rounds to code, whatever the chroma.
 *
 * Chroma is shrunk into the gamut; red and blue are rounded, and green, which weighs most, makes up for their rounding
 * errors: at most 0.3 of a code value is left (color.py, quantize_keeping_luma).
 */
export function writePixel(out, at, code, cb, cr) {
  const red = RED_PER_CR * cr, green = GREEN_PER_CB * cb + GREEN_PER_CR * cr, blue = BLUE_PER_CB * cb;
  const highest = Math.max(red, green, blue), lowest = Math.min(red, green, blue), luma = code / 255;
  let keep = 1;
  if (highest * keep > 1 - luma) keep = (1 - luma) / highest;
  if (-lowest * keep > luma) keep = luma / -lowest;
  const redCode = codeOf(code + keep * red * 255), blueCode = codeOf(code + keep * blue * 255);
  out[at] = redCode;
  out[at + 1] = codeOf((code - LUMA_RED * redCode - LUMA_BLUE * blueCode) / LUMA_GREEN);
  out[at + 2] = blueCode;
}

function codeOf(value) {
  return value <= 0 ? 0 : value >= 255 ? 255 : Math.floor(value + 0.5);
}
