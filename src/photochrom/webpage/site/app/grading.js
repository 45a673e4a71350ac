// Colours after the net, as in photochrom's prediction.py and grading.py: caution, vividness, warmth, ceiling.
// ab is one plane of a* followed by one of b*, on the small grid.

import { chromaFromAb, colorfulness, lightnessFromLuma } from "./color.js";
import { percentiles } from "./luma.js";

const D65_KELVIN = 6504, CEILING = 75, CEILING_PERCENTILE = 99;
const SPREAD_FROM = 15, MOST_SPREAD = 1.3, MOST_LIFTED = 1.8, COLOURLESS = 0.01;

/** [caution, gain]: below 1, unsure colours go first, and a gain of the root does the rest. */
export function splitVividness(vividness, spec) {
  const rebalanced = spec.bins_ab.length > 0 && spec.bins_ab.length === spec.bin_shares.length && spec.rebalancing_left > 0;
  return vividness >= 1 || !rebalanced ? [0, vividness] : [1 - vividness, vividness ** 0.5];
}

/**
 * { ab, logits }: what follows when the net's preference for rare colours is taken back, as far as caution (0..1) says.
 * logits: one plane per class, one after the other.
 */
export function beCautious(logits, cells, spec, caution) {
  const classes = spec.bins_ab.length, uniform = spec.rebalancing / classes;
  const shift = spec.bin_shares.map((share) =>
    caution * spec.rebalancing_left * Math.log(1 / ((1 - spec.rebalancing) * share + uniform + 1e-12)));
  const ab = new Float32Array(2 * cells), values = new Float64Array(classes), moved = new Float32Array(logits.length);
  for (let cell = 0; cell < cells; cell++) {
    let highest = -Infinity, total = 0, a = 0, b = 0;
    for (let k = 0; k < classes; k++) {
      values[k] = moved[k * cells + cell] = logits[k * cells + cell] - shift[k];
      highest = Math.max(highest, values[k]);
    }
    for (let k = 0; k < classes; k++) {
      const power = Math.exp((values[k] - highest) / spec.temperature);
      total += power;
      a += power * spec.bins_ab[k][0];
      b += power * spec.bins_ab[k][1];
    }
    ab[cell] = a / total;
    ab[cells + cell] = b / total;
  }
  return { ab, logits: moved };
}

/** a*, b* after spread, gain, lift of pale pictures, warmth (mired) and ceiling. */
export function grade(ab, cellLuma, spec, { vividness, warmth }, gain) {
  let graded = scaled(spreadChroma(ab, spec.chroma_spread), gain * spec.gain);
  graded = liftPale(graded, cellLuma, spec.pale_below * vividness);
  if (warmth) graded = warm(graded, cellLuma, warmth);
  return holdCeiling(graded);
}

const scaled = (ab, factor) => (factor === 1 ? ab : ab.map((value) => value * factor));

function chromaOf(ab) {
  const cells = ab.length / 2;
  return Float32Array.from({ length: cells }, (_, cell) => Math.hypot(ab[cell], ab[cells + cell]));
}

function spreadChroma(ab, spread) {
  if (!spread) return ab;
  const chroma = chromaOf(ab);
  return ab.map((value, at) =>
    value * Math.min(Math.max((chroma[at % chroma.length] / SPREAD_FROM) ** spread, 1), MOST_SPREAD));
}

function liftPale(ab, cellLuma, paleBelow) {
  if (!paleBelow) return ab;
  const { cb, cr } = chromaFromAb(cellLuma, ab), found = colorfulness(cellLuma, cb, cr);
  const factor = found > COLOURLESS ? Math.min(Math.sqrt(paleBelow / found), MOST_LIFTED) : 1;
  return factor <= 1 ? ab : scaled(ab, factor);
}

/** As if lit by daylight so many mired warmer than D65, at the same lightness (CIE 15:2004, equations 3.2 to 3.4). */
export function warm(ab, cellLuma, mired) {
  const lit = daylightWhite(1e6 / (1e6 / D65_KELVIN + mired)), plain = daylightWhite(D65_KELVIN);
  const [xGain, zGain] = lit.map((value, axis) => Math.cbrt(value / plain[axis]));
  const cells = cellLuma.length, out = new Float32Array(ab.length);
  for (let cell = 0; cell < cells; cell++) {
    const fy = (lightnessFromLuma(cellLuma[cell]) + 16) / 116;
    out[cell] = 500 * ((fy + ab[cell] / 500) * xGain - fy);
    out[cells + cell] = 200 * (fy - (fy - ab[cells + cell] / 200) * zGain);
  }
  return out;
}

function daylightWhite(kelvin) {
  const x = kelvin <= 7000
    ? -4.6070e9 / kelvin ** 3 + 2.9678e6 / kelvin ** 2 + 0.09911e3 / kelvin + 0.244063
    : -2.0064e9 / kelvin ** 3 + 1.9018e6 / kelvin ** 2 + 0.24748e3 / kelvin + 0.237040;
  const y = -3.000 * x ** 2 + 2.870 * x - 0.275;
  return [x / y, (1 - x - y) / y];
}

function holdCeiling(ab) {
  const [highest] = percentiles(chromaOf(ab), [CEILING_PERCENTILE]);
  return highest <= CEILING ? ab : scaled(ab, CEILING / highest);
}
