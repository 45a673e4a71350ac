// Colour arithmetic, as in photochrom's color.py: luma and chroma (BT.601), Lab (D65), gamut.
// Planes are typed arrays, row by row. Luma is 0..1, Cb and Cr -0.5..0.5, a* and b* in Lab units.

export const LUMA_RED = 0.299, LUMA_GREEN = 0.587, LUMA_BLUE = 0.114;
export const RED_PER_CR = 2 * (1 - LUMA_RED);
export const BLUE_PER_CB = 2 * (1 - LUMA_BLUE);
export const GREEN_PER_CB = -BLUE_PER_CB * LUMA_BLUE / LUMA_GREEN;
export const GREEN_PER_CR = -RED_PER_CR * LUMA_RED / LUMA_GREEN;

// IEC 61966-2-1: linear sRGB to CIE XYZ; its white is the sum of each row.
const XYZ_FROM_RGB = [0.4124564, 0.3575761, 0.1804375, 0.2126729, 0.7151522, 0.0721750, 0.0193339, 0.1191920, 0.9503041];
const RGB_FROM_XYZ = inverse(XYZ_FROM_RGB);
const WHITE = [0, 3, 6].map((row) => XYZ_FROM_RGB[row] + XYZ_FROM_RGB[row + 1] + XYZ_FROM_RGB[row + 2]);
// CIE 15:2004: where the cube root gives way to a straight line.
const LAB_EPSILON = (6 / 29) ** 3, LAB_SLOPE = (29 / 6) ** 2 / 3;
const REFINEMENTS = 3;

function inverse([a, b, c, d, e, f, g, h, i]) {
  const determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  const adjugate = [e * i - f * h, c * h - b * i, b * f - c * e, f * g - d * i, a * i - c * g, c * d - a * f,
    d * h - e * g, b * g - a * h, a * e - b * d];
  return adjugate.map((value) => value / determinant);
}

export function linearFromSrgb(value) {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

export function srgbFromLinear(value) {
  return value <= 0.0031308 ? value * 12.92 : 1.055 * value ** (1 / 2.4) - 0.055;
}

const labCurve = (t) => (t > LAB_EPSILON ? Math.cbrt(t) : LAB_SLOPE * t + 4 / 29);
const labCurveBack = (f) => (f > 6 / 29 ? f ** 3 : (f - 4 / 29) / LAB_SLOPE);

/** L* (0..100) of the grey of this luma. */
export function lightnessFromLuma(luma) {
  return 116 * labCurve(linearFromSrgb(luma)) - 16;
}

/** [L*, a*, b*] of sRGB, 0..1. */
export function labFromSrgb(red, green, blue) {
  const linear = [red, green, blue].map(linearFromSrgb);
  const [x, y, z] = multiplied(XYZ_FROM_RGB, linear).map((value, axis) => labCurve(value / WHITE[axis]));
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** [R, G, B] of Lab, not clipped. */
export function srgbFromLab(lightness, a, b) {
  const fy = (lightness + 16) / 116;
  const xyz = [fy + a / 500, fy, fy - b / 200].map((f, axis) => labCurveBack(f) * WHITE[axis]);
  return multiplied(RGB_FROM_XYZ, xyz).map(srgbFromLinear);
}

function multiplied(matrix, [x, y, z]) {
  return [0, 3, 6].map((row) => matrix[row] * x + matrix[row + 1] * y + matrix[row + 2] * z);
}

const lumaOf = ([red, green, blue]) => LUMA_RED * red + LUMA_GREEN * green + LUMA_BLUE * blue;
const clamped = (value, low, high) => Math.min(Math.max(value, low), high);

/** The largest factor in 0..1 by which chroma may be kept so that RGB stays in 0..1 at this luma. */
export function gamutHeadroom(luma, cb, cr) {
  const red = RED_PER_CR * cr, green = GREEN_PER_CB * cb + GREEN_PER_CR * cr, blue = BLUE_PER_CB * cb;
  const highest = Math.max(red, green, blue), lowest = Math.min(red, green, blue);
  let headroom = 1;
  if (highest > 0) headroom = Math.min(headroom, (1 - luma) / highest);
  if (lowest < 0) headroom = Math.min(headroom, luma / -lowest);
  return headroom;
}

/**
 * Cb and Cr of the colours that have this luma and these a*, b*; what is outside sRGB is brought in.
 * A strong colour of a given luma has not the lightness of the grey of that luma, so L* is corrected until it agrees.
 */
export function chromaFromAb(luma, ab) {
  const count = luma.length, cb = new Float64Array(count), cr = new Float64Array(count);
  for (let at = 0; at < count; at++) {
    const a = ab[at], b = ab[count + at], target = lightnessFromLuma(luma[at]);
    let lightness = target, rgb = srgbFromLab(lightness, a, b);
    for (let round = 0; round < REFINEMENTS; round++) {
      const reached = lightnessFromLuma(clamped(lumaOf(rgb), 0, 1));
      lightness = clamped(lightness + target - reached, 0, 100);
      rgb = srgbFromLab(lightness, a, b);
    }
    const y = lumaOf(rgb), blueish = (rgb[2] - y) / BLUE_PER_CB, reddish = (rgb[0] - y) / RED_PER_CR;
    const keep = gamutHeadroom(luma[at], blueish, reddish);
    cb[at] = blueish * keep;
    cr[at] = reddish * keep;
  }
  return { cb, cr };
}

/** sRGB that has exactly this luma, with the chroma shrunk towards grey where it leaves the gamut: [R, G, B], 0..1. */
export function mergeLumaChroma(luma, cb, cr) {
  const keep = gamutHeadroom(luma, cb, cr), blueish = cb * keep, reddish = cr * keep;
  return [RED_PER_CR * reddish, GREEN_PER_CB * blueish + GREEN_PER_CR * reddish, BLUE_PER_CB * blueish]
    .map((offset) => clamped(luma + offset, 0, 1));
}

/** Hasler and Suesstrunk's colourfulness M3 of a picture given as luma and chroma planes; photographs are near 40. */
export function colorfulness(luma, cb, cr) {
  const rg = new Float64Array(luma.length), yb = new Float64Array(luma.length);
  for (let at = 0; at < luma.length; at++) {
    const [red, green, blue] = mergeLumaChroma(luma[at], cb[at], cr[at]);
    rg[at] = 255 * (red - green);
    yb[at] = 255 * ((red + green) / 2 - blue);
  }
  const [rgMean, rgSpread] = momentsOf(rg), [ybMean, ybSpread] = momentsOf(yb);
  return Math.hypot(rgSpread, ybSpread) + 0.3 * Math.hypot(rgMean, ybMean);
}

function momentsOf(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return [mean, Math.sqrt(variance)];
}
