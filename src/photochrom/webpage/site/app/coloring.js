// The main path, as in photochrom's pipeline.py for one view:
// luma -> small copy -> tone -> net -> caution -> grading -> chroma under the full-size luma.

import { beCautious, grade, splitVividness } from "./grading.js";
import { isBlank, normalizeTone, shrinkLuma } from "./luma.js";
import { rowMerger } from "./merging.js";
import { padToMultiple, renderSize } from "./resample.js";

/** What the net says of a photograph { width, height, codes }: everything that does not depend on how it shall look. */
export async function recognize(photo, net) {
  const { spec } = net;
  const [width, height] = renderSize(photo.width, photo.height, spec.render_px, spec.multiple, spec.output_stride);
  const small = shrinkLuma(photo.codes, photo.width, photo.height, width, height, spec.output_stride);
  const padded = padToMultiple(normalizeTone(small.net), width, height, spec.multiple);
  const answer = await net.run(padded.plane, padded.width, padded.height);
  const columns = width / spec.output_stride, rows = height / spec.output_stride;
  const crop = (planes) => cropped(planes, answer.columns, answer.rows, columns, rows);
  const blank = spec.bins_ab.length > 0 && isBlank(small.net);
  return { ab: crop(answer.ab), logits: crop(answer.logits), cellLuma: small.cell, columns, rows, blank };
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

/** a*, b* on the small grid for a look { vividness, warmth }. */
export function colorsOf(recognized, spec, look) {
  const { cellLuma, logits, blank } = recognized, [caution, gain] = splitVividness(look.vividness, spec);
  const ab = caution > 0 ? beCautious(logits, cellLuma.length, spec, caution) : recognized.ab;
  return grade(ab, cellLuma, spec, look, blank ? 0 : gain);
}

/** A function that writes single rows of a picture of any size in these colours; see rowMerger. */
export function painter(recognized, ab, width, height) {
  return rowMerger(ab, recognized.cellLuma, recognized.columns, recognized.rows, width, height);
}

/** The whole picture in colour: RGBA, opaque where alpha is null. */
export function paint(photo, recognized, ab) {
  const { width, height, codes, alpha } = photo, paintRow = painter(recognized, ab, width, height);
  const out = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let row = 0; row < height; row++) paintRow(row, codes, row * width, out, row * width * 4, 4);
  if (alpha) alpha.forEach((value, at) => { out[at * 4 + 3] = value; });
  return out;
}
