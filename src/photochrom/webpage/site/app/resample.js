// Sizes of pictures, as in photochrom's resample.py: antialiased shrinking, mirrored borders, chroma under the luma.
// Pixel centres lie at half integers, so nothing ever shifts.

const LARGEST_ENLARGEMENT = 2, LANCZOS_LOBES = 3, GUIDE_EPS = 0.03 ** 2;

/** [width, height] of the net's copy: same aspect, short side near shortPx, sides multiples of stride. */
export function renderSize(width, height, shortPx, multiple, stride) {
  const largestArea = 4 * shortPx ** 2;
  const scale = Math.min(
    shortPx / Math.min(width, height),
    Math.sqrt(largestArea / (width * height)),
    largestArea / (multiple * Math.max(width, height)),
    LARGEST_ENLARGEMENT,
  );
  return [toMultiple(width * scale, stride), toMultiple(height * scale, stride)];
}

function toMultiple(length, step) {
  return Math.max(step, step * roundedToEven(length / step));
}

function roundedToEven(value) {
  const below = Math.floor(value), part = value - below;
  return part > 0.5 || (part === 0.5 && below % 2 !== 0) ? below + 1 : below;
}

/** Means over blocks of side squared, times scale; those at the right and lower border may be smaller. */
export function blockMean(plane, width, height, side, scale = 1) {
  const columns = Math.ceil(width / side), rows = Math.ceil(height / side);
  const out = new Float32Array(columns * rows), sums = new Float64Array(columns);
  for (let row = 0; row < rows; row++) {
    const top = row * side, bottom = Math.min(top + side, height);
    sums.fill(0);
    for (let y = top; y < bottom; y++) {
      for (let column = 0, x = 0, at = y * width; column < columns; column++) {
        let sum = 0;
        for (const end = Math.min(x + side, width); x < end; x++) sum += plane[at + x];
        sums[column] += sum;
      }
    }
    for (let column = 0; column < columns; column++) {
      const area = (bottom - top) * (Math.min((column + 1) * side, width) - column * side);
      out[row * columns + column] = (sums[column] / area) * scale;
    }
  }
  return { plane: out, width: columns, height: rows };
}

/** A plane at another size by Lanczos (a = 3), antialiased; extent [w, h] takes only that much of it, from the top left. */
export function resize(plane, width, height, newWidth, newHeight, extent = [width, height]) {
  const [across, down] = [[width, extent[0], newWidth], [height, extent[1], newHeight]].map((side) => weightsOf(...side, lanczos, LANCZOS_LOBES));
  const narrowed = new Float32Array(newWidth * height);
  for (let y = 0; y < height; y++) {
    across.forEach(([first, weights], x) => {
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += weights[k] * plane[y * width + first + k];
      narrowed[y * newWidth + x] = sum;
    });
  }
  const out = new Float32Array(newWidth * newHeight);
  down.forEach(([first, weights], y) => {
    for (let x = 0; x < newWidth; x++) {
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += weights[k] * narrowed[(first + k) * newWidth + x];
      out[y * newWidth + x] = sum;
    }
  });
  return out;
}

/** For each place of a new side, linearly: what `weightsOf` gives. Antialiased, where `cellPlaces` is not. */
export const linearWeights = (length, newLength) => weightsOf(length, length, newLength, (x) => Math.max(1 - Math.abs(x), 0), 1);

/** For each place of a new side: the first old place, and the weights from there on, which sum to one. */
function weightsOf(length, extent, newLength, filter, lobes) {
  const scale = extent / newLength, stretch = Math.max(scale, 1), reach = lobes * stretch;
  return Array.from({ length: newLength }, (_, place) => {
    const centre = (place + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - reach + 0.5));
    const last = Math.min(length, Math.trunc(centre + reach + 0.5));
    const weights = Float64Array.from({ length: last - first }, (__, k) => filter((first + k - centre + 0.5) / stretch));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return [first, weights.map((weight) => weight / sum)];
  });
}

function lanczos(x) {
  return x >= -LANCZOS_LOBES && x < LANCZOS_LOBES ? sinc(x) * sinc(x / LANCZOS_LOBES) : 0;
}

function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** A plane continued by its mirror image, right and below, until both sides are multiples. */
export function padToMultiple(plane, width, height, multiple) {
  const newWidth = Math.ceil(width / multiple) * multiple, newHeight = Math.ceil(height / multiple) * multiple;
  const out = new Float32Array(newWidth * newHeight);
  for (let y = 0; y < newHeight; y++) {
    const row = mirrored(y, height) * width;
    for (let x = 0; x < newWidth; x++) out[y * newWidth + x] = plane[row + mirrored(x, width)];
  }
  return { plane: out, width: newWidth, height: newHeight };
}

function mirrored(place, length) {
  if (length === 1) return 0;
  const period = 2 * (length - 1), within = place % period;
  return within < length ? within : period - within;
}

/** Means over windows of 3 x 3, cut at the border. */
export function boxMean(plane, width, height) {
  const across = new Float64Array(plane.length), out = new Float64Array(plane.length);
  for (let at = 0; at < plane.length; at++) {
    const x = at % width, left = x > 0 ? 1 : 0, right = x < width - 1 ? 1 : 0;
    across[at] = (plane[at] + (left && plane[at - 1]) + (right && plane[at + 1])) / (1 + left + right);
  }
  for (let at = 0; at < plane.length; at++) {
    const y = Math.floor(at / width), above = y > 0 ? 1 : 0, below = y < height - 1 ? 1 : 0;
    out[at] = (across[at] + (above && across[at - width]) + (below && across[at + width])) / (1 + above + below);
  }
  return out;
}

/**
 * Chroma as a locally linear function of the luma, on the small grid: [slope of Cb, of Cr, offset of Cb, of Cr].
 * The guided filter's slopes; each cell's line passes through the cell's own luma and chroma (see resample.py).
 */
export function fitGuide(cb, cr, cellLuma, width, height) {
  const mean = (plane) => boxMean(plane, width, height), product = (one, other) => one.map((value, at) => value * other[at]);
  const luma = Float64Array.from(cellLuma), meanLuma = mean(luma), meanSquared = mean(product(luma, luma));
  const slopeOf = (plane) => {
    const meanPlane = mean(plane), meanProduct = mean(product(luma, plane));
    return mean(meanProduct.map((value, at) => {
      const variance = Math.max(meanSquared[at] - meanLuma[at] ** 2, 0);
      return (value - meanLuma[at] * meanPlane[at]) / (variance + GUIDE_EPS);
    }));
  };
  const slopes = [cb, cr].map(slopeOf);
  const offsets = [cb, cr].map((plane, k) => plane.map((value, at) => value - slopes[k][at] * luma[at]));
  return [...slopes, ...offsets];
}

/** For each place of a long side: the cell before it, and how far it is on the way to the next. */
export function cellPlaces(cells, length) {
  const before = new Int32Array(length), share = new Float64Array(length);
  for (let place = 0; place < length; place++) {
    const position = Math.min(Math.max(((place + 0.5) * cells) / length - 0.5, 0), cells - 1);
    before[place] = Math.min(Math.floor(position), Math.max(cells - 2, 0));
    share[place] = cells === 1 ? 0 : position - before[place];
  }
  return { before, share };
}

/** A plane's value between four cells, for a place as `cellPlaces` gives them. */
export function between(plane, columns, rows, across, x, down, y) {
  const left = across.before[x], top = down.before[y], right = Math.min(left + 1, columns - 1), bottom = Math.min(top + 1, rows - 1);
  const mix = (row) => plane[row * columns + left] + across.share[x] * (plane[row * columns + right] - plane[row * columns + left]);
  return mix(top) + down.share[y] * (mix(bottom) - mix(top));
}
