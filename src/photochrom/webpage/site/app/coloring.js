// The main path, as in photochrom's pipeline.py for one view:
// luma -> small copy -> tone -> net (and hints) -> caution -> grading -> hints obeyed -> chroma under the full-size luma.

import { beCautious, grade, splitVividness } from "./grading.js";
import { findWishes } from "./hearing.js";
import { drawHints, drawn, followHints } from "./hints.js";
import { isBlank, normalizeTone, shrinkLuma } from "./luma.js";
import { rowMerger } from "./merging.js";
import { blockMean, padToMultiple, renderSize } from "./resample.js";
import { smoothScreen } from "./screen.js";

/** What the net is shown of a photograph { width, height, codes }. */
export function prepare(photo, spec) {
  const [width, height] = renderSize(photo.width, photo.height, spec.render_px, spec.multiple, spec.output_stride);
  const small = shrinkLuma(photo.codes, photo.width, photo.height, width, height, spec.output_stride);
  const luma = smoothScreen(normalizeTone(small.net, width, height), width, height);
  const blank = spec.bins_ab.length > 0 && isBlank(small.net);
  return { luma, width, height, cellLuma: small.cell, blank };
}

/** What the net says of a photograph, told so many hints: everything that does not depend on how it shall look. */
export async function recognize(prepared, net, hints = []) {
  const { luma, width, height, cellLuma, blank } = prepared, { spec } = net;
  const padded = padToMultiple(luma, width, height, spec.multiple);
  const said = hints.length ? bordered(drawHints(hints, luma, width, height), width, height, padded.width, padded.height) : null;
  const answer = await net.run(padded.plane, padded.width, padded.height, said);
  const columns = width / spec.output_stride, rows = height / spec.output_stride;
  const crop = (planes) => cropped(planes, answer.columns, answer.rows, columns, rows);
  return { ab: crop(answer.ab), logits: crop(answer.logits), cellLuma, columns, rows, blank };
}

/** Planes with nothing said of the border that the net's multiple asks for. */
function bordered(planes, width, height, newWidth, newHeight) {
  const count = planes.length / (width * height), out = new Float32Array(count * newWidth * newHeight);
  for (let row = 0; row < count * height; row++) {
    const plane = Math.floor(row / height), to = (plane * newHeight + (row % height)) * newWidth;
    out.set(planes.subarray(row * width, (row + 1) * width), to);
  }
  return out;
}

function cropped(planes, width, height, columns, rows) {
  const count = planes.length / (width * height), out = new Float32Array(count * columns * rows);
  for (let plane = 0; plane < count; plane++) {
    for (let row = 0; row < rows; row++) {
      const from = (plane * height + row) * width;
      out.set(planes.subarray(from, from + columns), (plane * rows + row) * columns);
    }
  }
  return out;
}

/** { ab, cellLuma, columns, rows }: colours on a small grid for a look { vividness, warmth, hints }, hints followed. */
export async function colorsOf(answers, prepared, spec, look, photo) {
  const { hints = [] } = look, told = await answers.to(hints), { cellLuma, columns, rows, blank } = told;
  const [caution, gain] = splitVividness(look.vividness, spec);
  const cautious = (answer) => (caution > 0 ? beCautious(answer.logits, cellLuma.length, spec, caution) : answer);
  const graded = (answer) => grade(cautious(answer).ab, cellLuma, spec, look, blank ? 0 : gain);
  const colors = { ab: graded(told), cellLuma, columns, rows };
  if (!hints.length) return colors;
  const luma = blockMean(prepared.luma, prepared.width, prepared.height, spec.output_stride).plane;
  const wishes = findWishes(cautious(await answers.to([])), spec.bins_ab, drawn(hints, luma, columns, rows));
  const without = Object.keys(wishes).length ? graded(await answers.to(hints.filter((_, one) => !(one in wishes)))) : null;
  return followHints(hints, photo, colors, wishes, without);
}

/** A function that writes single rows of a picture of any size in these colours; see rowMerger. */
export function painter({ ab, cellLuma, columns, rows }, width, height) {
  return rowMerger(ab, cellLuma, columns, rows, width, height);
}

/** The whole picture in colour: RGBA, opaque where alpha is null. */
export function paint(photo, colors) {
  const { width, height, codes, alpha } = photo, paintRow = painter(colors, width, height);
  const out = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let row = 0; row < height; row++) paintRow(row, codes, row * width, out, row * width * 4, 4);
  if (alpha) alpha.forEach((value, at) => { out[at * 4 + 3] = value; });
  return out;
}
