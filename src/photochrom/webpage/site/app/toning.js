// Grey, toned or in colour already? As in photochrom's toning.py: a toned photograph has one colour per tone.

import { BLUE_PER_CB, LUMA_BLUE, LUMA_GREEN, LUMA_RED, RED_PER_CR } from "./color.js";

const GREY_CHROMA = 0.006, COLORED_RESIDUAL = 0.02, TONES = 16, OUTLIERS = 0.05;

/** Whether a small copy (ImageData) surely shows a photograph in colour. */
export function looksColored({ data }) {
  const { size, residual } = measureToning(data);
  return size >= GREY_CHROMA && residual >= COLORED_RESIDUAL;
}

/** { size, residual }: root mean square of the chroma, and of what is left of it when each tone's mean is taken away. */
export function measureToning(rgba) {
  const count = rgba.length / 4, cb = new Float64Array(count), cr = new Float64Array(count), tone = new Uint8Array(count);
  const sums = Array.from({ length: TONES }, () => [0, 0, 0]);
  for (let at = 0, k = 0; at < count; at++, k += 4) {
    const red = rgba[k] / 255, green = rgba[k + 1] / 255, blue = rgba[k + 2] / 255;
    const luma = LUMA_RED * red + LUMA_GREEN * green + LUMA_BLUE * blue;
    cb[at] = (blue - luma) / BLUE_PER_CB;
    cr[at] = (red - luma) / RED_PER_CR;
    tone[at] = Math.min(Math.floor(luma * TONES), TONES - 1);
    [cb[at], cr[at], 1].forEach((value, part) => { sums[tone[at]][part] += value; });
  }
  const left = Float64Array.from({ length: count }, (_, at) => {
    const [blueish, reddish, members] = sums[tone[at]];
    return (cb[at] - blueish / members) ** 2 + (cr[at] - reddish / members) ** 2;
  }).sort();
  const kept = left.subarray(0, Math.max(1, Math.round(count * (1 - OUTLIERS))));
  const size = cb.reduce((sum, value, at) => sum + value ** 2 + cr[at] ** 2, 0) / count;
  return { size: Math.sqrt(size), residual: Math.sqrt(kept.reduce((sum, value) => sum + value, 0) / kept.length) };
}
