// The net is told of hints, and a wish keeps to its thing, as in photochrom's hearing.py and hints/wishes.py.

import { percentiles } from "./luma.js";

const WISH_AB = 25, NEAR_AB = 12, LIKELY = 0.05, UNLIKELY = 0.015;
const LIKE_LUMA = 0.08, UNLIKE_LUMA = 0.15, STRANGE_LUMA = 0.3, LIKE_AB = 8, UNLIKE_AB = 20;
const ALIKE_FROM = 0.03, ALIKE_WHOLE = 0.4, OTHERS_FROM = 0.7, OTHERS_WHOLE = 0.9;
const STRANGE_FROM = 1.1, STRANGE_WHOLE = 1.4, MOST_STRENGTHENED = 2.5;
const UNCLAIMED = 1e-4, MOST_CLAIMS = 24, COLOR_STEP_AB = 20, MOST_ANSWERS = 4;

/** What the net says of one picture, asked once for the same hints; the last few are kept, and what it says by itself. */
export class Answers {
  /** ask(hints) gives what the net says, told so many hints. */
  constructor(ask) {
    this.ask = ask;
    this.kept = new Map();
  }

  async to(hints) {
    const key = JSON.stringify(hints), answer = this.kept.get(key) ?? (await this.ask(hints));
    this.kept.delete(key);
    this.kept.set(key, answer);  // the latest last
    const forgotten = [...this.kept.keys()].filter((name) => name !== "[]").slice(0, -MOST_ANSWERS);
    for (const name of forgotten) this.kept.delete(name);
    return answer;
  }
}

/** How much of a wish, 0 to 1, those hints are that ask for what the net thinks unlikely, by number. */
export function findWishes({ ab, logits }, bins, { planes, number }) {
  const cells = number.length, sums = new Map();
  for (let cell = 0; cell < cells; cell++) {
    if (number[cell] < 0) continue;
    const a = planes[cell], b = planes[cells + cell], sum = sums.get(number[cell]) ?? [0, 0];
    const apart = Math.hypot(a - ab[cell], b - ab[cells + cell]);
    const unlikely = (LIKELY - shareNear(logits, cell, cells, bins, a, b)) / (LIKELY - UNLIKELY);
    sums.set(number[cell], [sum[0] + (apart >= WISH_AB ? clipped(unlikely) : 0), sum[1] + 1]);
  }
  return Object.fromEntries([...sums].filter(([, [sum]]) => sum > 0).map(([one, [sum, count]]) => [one, sum / count]));
}

const clipped = (value) => Math.min(Math.max(value, 0), 1);

/** The share of a cell's distribution that lies near a colour. */
function shareNear(logits, cell, cells, bins, a, b) {
  let highest = -Infinity, all = 0, near = 0;
  for (let k = 0; k < bins.length; k++) highest = Math.max(highest, logits[k * cells + cell]);
  for (let k = 0; k < bins.length; k++) {
    const power = Math.exp(logits[k * cells + cell] - highest);
    all += power;
    if (Math.hypot(bins[k][0] - a, bins[k][1] - b) < NEAR_AB) near += power;
  }
  return near / all;
}

/** Colours told of all hints less what wishes change where they are not meant; all planes of one grid. */
export function keepToThings(told, without, luma, { planes, number }, wishes) {
  const count = luma.length, kept = new Float64Array(count), claims = new Float64Array(count);
  for (const cells of claimsOf(planes, number, wishes)) {
    const mean = (value) => cells.reduce((sum, at) => sum + value(at), 0) / cells.length;
    const asked = [0, count].map((plane) => mean((at) => planes[plane + at] - without[plane + at]));
    const square = Math.max(asked[0] ** 2 + asked[1] ** 2, 1), compare = likeness(luma, without, cells);
    const numbers = [...new Set(cells.map((at) => number[at]))];
    const wishful = numbers.reduce((sum, one) => sum + wishes[one], 0) / numbers.length;
    for (let at = 0; at < count; at++) {
      const changeA = told[at] - without[at], changeB = told[count + at] - without[count + at];
      const followed = (asked[0] * changeA + asked[1] * changeB) / square, [like, strange] = compare(at);
      const from = OTHERS_FROM + (ALIKE_FROM - OTHERS_FROM) * like + (STRANGE_FROM - OTHERS_FROM) * strange;
      const whole = OTHERS_WHOLE + (ALIKE_WHOLE - OTHERS_WHOLE) * like + (STRANGE_WHOLE - OTHERS_WHOLE) * strange;
      const claimed = clipped((followed - from) / (whole - from));
      const way = clipped((followed * Math.hypot(...asked)) / Math.max(Math.hypot(changeA, changeB), 1));
      const weight = (claimed * way) ** 2 + UNCLAIMED, share = Math.min(claimed / Math.max(followed, ALIKE_FROM), MOST_STRENGTHENED) * Math.min(2 * way, 1);
      kept[at] += weight * (1 + wishful * (share - 1));
      claims[at] += weight;
    }
  }
  return told.map((value, at) => value + (kept[at % count] / claims[at % count] - 1) * (value - without[at]));
}

/** The cells of each wish; where there are many, of each colour, the largest first. */
function claimsOf(planes, number, wishes) {
  const count = number.length, known = [...number.keys()].filter((at) => number[at] in wishes);
  const step = (at) => Math.round(planes[at] / COLOR_STEP_AB), color = (at) => [step(at), step(count + at)];
  let claims = grouped(known, (at) => [number[at], ...color(at)]);
  if (claims.length > MOST_CLAIMS) claims = grouped(known, color);
  return claims.sort((one, other) => other.length - one.length).slice(0, MOST_CLAIMS);
}

/** Groups of equal keys, in the order of these. */
function grouped(cells, keyOf) {
  const groups = new Map();
  for (const at of cells) {
    const key = keyOf(at), name = key.join(" ");
    if (!groups.has(name)) groups.set(name, { key, cells: [] });
    groups.get(name).cells.push(at);
  }
  const inOrder = ({ key }, { key: other }) => key.map((value, n) => value - other[n]).find((apart) => apart) ?? 0;
  return [...groups.values()].sort(inOrder).map(({ cells: found }) => found);
}

/** How much a place is like those of a wish, in tone and in the net's own colour, and how strange its tone is there. */
function likeness(luma, without, cells) {
  const count = luma.length, here = (plane) => Float32Array.from(cells, (at) => plane(at));
  const [low, high] = percentiles(here((at) => luma[at]), [10, 90]);
  const [a, b] = [0, count].map((plane) => percentiles(here((at) => without[plane + at]), [50])[0]);
  const falling = (apart, like, unlike) => clipped((unlike - apart) / (unlike - like));
  return (at) => {
    const apart = Math.max(low - luma[at], luma[at] - high, 0);
    const color = falling(Math.hypot(without[at] - a, without[count + at] - b), LIKE_AB, UNLIKE_AB);
    return [falling(apart, LIKE_LUMA, UNLIKE_LUMA) * color, 1 - falling(apart, UNLIKE_LUMA, STRANGE_LUMA)];
  };
}
