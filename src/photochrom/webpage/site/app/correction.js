// What the net got wrong where hints lie it gets wrong alike in like colours of like tone, as in photochrom's hints/correction.py.

import { between } from "./resample.js";

/** How far a hint is held along its thing, as a share of the short side. */
export const REACH = 0.15;
const CARRIED_REACHES = 2.6, LIKE_AB = 10, LIKE_LUMA = 0.2, WISH_AB = 25, DOUBT = 0.2;
const POINT_CELLS = 5, BLOCK_CELLS = 4, MOST_BLOCKS = 500, STRIDE_CELLS = 4;

/** Colours less what they are off by in places like those that were told, as in hints/correction.py. */
export function correctAlike(ab, guide, said, width, height) {
  const count = width * height, found = foundAt(ab, guide, said, width, height);
  if (!found.length) return ab;
  const columns = Math.ceil(width / STRIDE_CELLS), rows = Math.ceil(height / STRIDE_CELLS), planes = [new Float32Array(columns * rows), new Float32Array(columns * rows)];
  const carried = Math.max(CARRIED_REACHES * REACH * Math.min(width, height), 1) ** 2;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const x = column * STRIDE_CELLS, y = row * STRIDE_CELLS, at = y * width + x;
      let [offA, offB, mass] = [0, 0, DOUBT];
      for (const one of found) {
        const near = ((x - one.x) ** 2 + (y - one.y) ** 2) / carried, tone = ((guide[at] - one.luma) / LIKE_LUMA) ** 2;
        const alike = one.weight * Math.exp(-(near + tone + ((ab[at] - one.a) ** 2 + (ab[count + at] - one.b) ** 2) / LIKE_AB ** 2) / 2);
        offA += alike * one.offA, offB += alike * one.offB, mass += alike;
      }
      planes[0][row * columns + column] = offA / mass, planes[1][row * columns + column] = offB / mass;
    }
  }
  const places = (length, cells) => ({
    before: Array.from({ length }, (_, at) => Math.min(Math.floor(at / STRIDE_CELLS), cells - 1)),
    share: Array.from({ length }, (_, at) => at / STRIDE_CELLS - Math.min(Math.floor(at / STRIDE_CELLS), cells - 1)),
  });
  const across = places(width, columns), down = places(height, rows);
  return Float32Array.from(ab, (value, at) => {
    const cell = at % count;
    return value + between(planes[at < count ? 0 : 1], columns, rows, across, cell % width, down, Math.floor(cell / width));
  });
}

/** What the hints found wrong, one for each block of cells that were told. */
function foundAt(ab, guide, said, width, height) {
  const count = width * height, told = [...guide.keys()].filter((at) => said[2 * count + at] > 0);
  let blocks, block = BLOCK_CELLS;
  do {
    blocks = new Map();
    for (const at of told) {
      const one = Math.floor(Math.floor(at / width) / block) * width + Math.floor((at % width) / block);
      blocks.has(one) ? blocks.get(one).push(at) : blocks.set(one, [at]);
    }
    block *= 2;
  } while (blocks.size > MOST_BLOCKS);
  return [...blocks.values()].map((cells) => {
    const mean = (value) => cells.reduce((sum, at) => sum + value(at), 0) / cells.length;
    const [offA, offB] = [0, count].map((plane) => mean((at) => said[plane + at] - ab[plane + at]));
    const isError = 1 / (1 + (offA ** 2 + offB ** 2) / WISH_AB ** 2) ** 2;
    return {
      x: mean((at) => at % width), y: mean((at) => Math.floor(at / width)), a: mean((at) => ab[at]), b: mean((at) => ab[count + at]),
      luma: mean((at) => guide[at]), offA: offA * isError, offB: offB * isError,
      weight: mean((at) => said[2 * count + at]) * Math.min(cells.length / POINT_CELLS, 1),
    };
  });
}
