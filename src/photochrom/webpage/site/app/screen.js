// The dots of printed pictures, which the net is not to see, as in photochrom's screen.py.

const SIDE = 128, SLOWEST = 0.2 * SIDE, QUICKEST = 0.5 * SIDE;
const LEAST_RATIO = 150, LEAST_AMPLITUDE = 0.01, BLUR_PX = 1.2, BLUR_REACH = 4;

/** The net's copy without the dots of a printed screen; a picture without one comes back as it is. */
export function smoothScreen(plane, width, height) {
  return hasScreen(plane, width, height) ? blurred(plane, width, height) : plane;
}

/** Whether a plane shows the dots of a halftone screen: two waves at a right angle, equally strong. */
export function hasScreen(plane, width, height) {
  if (Math.min(width, height) < SIDE) return false;
  const { power, weight } = powerSpectrum(plane, width, height);
  const cycles = (place) => (place < SIDE / 2 ? place : place - SIDE);
  const radius = (at) => Math.hypot(cycles(Math.floor(at / SIDE)), cycles(at % SIDE));
  const rings = [];
  for (let at = 0; at < power.length; at++) (rings[Math.round(radius(at))] ??= []).push(power[at]);
  const medians = rings.map((ring) => median(ring));
  for (let row = 0; row < SIDE; row++) {
    for (let column = 0; column < SIDE; column++) {
      const at = row * SIDE + column, far = radius(at);
      if (far < SLOWEST || far > QUICKEST) continue;
      const both = Math.min(power[at], power[((SIDE - column) % SIDE) * SIDE + row]);
      if (both > LEAST_RATIO * medians[Math.round(far)] && (2 * Math.sqrt(both)) / weight > LEAST_AMPLITUDE) return true;
    }
  }
  return false;
}

/** { power, weight }: of the square in the middle under Hann's window, and what the window sums up to. */
function powerSpectrum(plane, width, height) {
  const top = Math.floor((height - SIDE) / 2), left = Math.floor((width - SIDE) / 2);
  const rise = Float64Array.from({ length: SIDE }, (_, k) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (k + 1)) / (SIDE + 1)));
  const real = new Float64Array(SIDE * SIDE), imaginary = new Float64Array(SIDE * SIDE);
  let mean = 0, weight = 0;
  for (let at = 0; at < real.length; at++) mean += plane[(top + Math.floor(at / SIDE)) * width + left + (at % SIDE)] / real.length;
  for (let at = 0; at < real.length; at++) {
    const row = Math.floor(at / SIDE), column = at % SIDE, window = rise[row] * rise[column];
    real[at] = (plane[(top + row) * width + left + column] - mean) * window;
    weight += window;
  }
  for (let k = 0; k < SIDE; k++) transform(real, imaginary, k * SIDE, 1);
  for (let k = 0; k < SIDE; k++) transform(real, imaginary, k, SIDE);
  return { power: real.map((value, at) => value ** 2 + imaginary[at] ** 2), weight };
}

/** Fourier's transform of SIDE numbers in place, which lie `step` apart. Source: Cooley, Tukey 1965. */
function transform(real, imaginary, begin, step) {
  const swap = (values, a, b) => { [values[a], values[b]] = [values[b], values[a]]; };
  for (let k = 1, turned = 0; k < SIDE; k++) {
    let bit = SIDE >> 1;
    for (; turned & bit; bit >>= 1) turned ^= bit;
    turned ^= bit;
    if (k < turned) for (const values of [real, imaginary]) swap(values, begin + k * step, begin + turned * step);
  }
  for (let length = 2; length <= SIDE; length *= 2) {
    for (let k = 0; k < length / 2; k++) {
      const cosine = Math.cos((2 * Math.PI * k) / length), sine = -Math.sin((2 * Math.PI * k) / length);
      for (let block = k; block < SIDE; block += length) {
        const a = begin + block * step, b = a + (length / 2) * step;
        const x = real[b] * cosine - imaginary[b] * sine, y = real[b] * sine + imaginary[b] * cosine;
        [real[b], imaginary[b]] = [real[a] - x, imaginary[a] - y];
        [real[a], imaginary[a]] = [real[a] + x, imaginary[a] + y];
      }
    }
  }
}

function median(values) {
  const sorted = Float64Array.from(values).sort(), middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The plane under a Gaussian, its borders mirrored. */
function blurred(plane, width, height) {
  const weights = Float64Array.from({ length: 2 * BLUR_REACH + 1 }, (_, k) => Math.exp(-((k - BLUR_REACH) ** 2) / (2 * BLUR_PX ** 2)));
  const sum = weights.reduce((a, b) => a + b, 0);
  const mirrored = (place, length) => (place < 0 ? -1 - place : place >= length ? 2 * length - 1 - place : place);
  const pass = (from, length, other, step, stride) => {
    const out = new Float32Array(from.length);
    for (let line = 0; line < other; line++) {
      for (let place = 0; place < length; place++) {
        let value = 0;
        for (let k = 0; k < weights.length; k++) value += (weights[k] / sum) * from[line * stride + mirrored(place + k - BLUR_REACH, length) * step];
        out[line * stride + place * step] = value;
      }
    }
    return out;
  };
  return pass(pass(plane, height, width, width, 1), width, height, 1, width);
}
