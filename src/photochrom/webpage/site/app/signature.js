// What kind of file it is, by its first bytes, how large its picture, and whether the file is all there.
// Browsers show half of a broken file without a word; half a photograph in colour is worse than none.

import { crc32 } from "./png.js";

const SIGNATURES = [
  ["JPEG", 0, "\xff\xd8\xff"], ["PNG", 0, "\x89PNG\r\n\x1a\n"], ["WebP", 8, "WEBP"], ["GIF", 0, "GIF8"], ["BMP", 0, "BM"],
  ["TIFF", 0, "II*\0"], ["TIFF", 0, "MM\0*"], ["TIFF", 0, "II+\0"], ["TIFF", 0, "MM\0+"], ["AVIF", 4, "ftypavi"], ["HEIC", 4, "ftyphe"],
  ["HEIC", 4, "ftypmif1"], ["HEIC", 4, "ftypmsf1"], ["CR3", 4, "ftypcrx"],
  ["JPEG XL", 0, "\xff\x0a"], ["JPEG XL", 4, "JXL "], ["JPEG 2000", 4, "jP  "], ["Photoshop", 0, "8BPS"], ["PDF", 0, "%PDF"],
];
const FIRST_FRAME = 0xc0, LAST_FRAME = 0xcf, NOT_FRAMES = [0xc4, 0xc8, 0xcc];
const SCAN = 0xda, END = 0xd9;
const WEBP_MOVES = 2, ORIENTATION_TAG = 0x112;
const GIF_HEADER = 13, GIF_EXTENSION = 0x21, GIF_PICTURE = 0x2c;

/**
 * { kind, width, height, bits, whole, moves, orientation }: kind is null for what is no picture, the sizes null where they
 * are not told. moves: whether there are further pictures. orientation: EXIF's, where browsers may not see to it.
 */
export function examine(bytes) {
  const kind = SIGNATURES.find(([, at, text]) => hasText(bytes, at, text))?.[0] ?? null;
  const found = { kind, width: null, height: null, bits: 8, whole: true, moves: hasText(bytes, 4, "ftypavis"), orientation: 1 };
  const reader = { JPEG: examineJpeg, PNG: examinePng, WebP: examineWebp, GIF: examineGif }[kind];
  if (!reader) return found;
  return { ...found, ...reader(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)) };
}

function hasText(bytes, at, text) {
  return bytes.length >= at + text.length && [...text].every((letter, k) => bytes[at + k] === letter.charCodeAt(0));
}

function examineJpeg(bytes, view) {
  const found = { whole: false };
  for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff;) {
    const marker = bytes[at + 1];
    if (marker === 0xff) { at++; continue; }
    if (marker >= FIRST_FRAME && marker <= LAST_FRAME && !NOT_FRAMES.includes(marker)) {
      Object.assign(found, { bits: bytes[at + 4], height: view.getUint16(at + 5), width: view.getUint16(at + 7) });
    }
    if (marker === SCAN) return { ...found, whole: hasEnd(bytes, at) };
    at += 2 + view.getUint16(at + 2);
  }
  return found;
}

/** Whether the end marker follows; within the picture's own bytes it cannot occur. */
function hasEnd(bytes, from) {
  for (let at = bytes.indexOf(0xff, from + 2); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    if (bytes[at + 1] === END) return true;
  }
  return false;
}

function examinePng(bytes, view) {
  const found = { whole: false };
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = view.getUint32(at), next = at + 12 + length;
    if (next > bytes.length || crc32(bytes.subarray(at + 4, next - 4)) !== view.getUint32(next - 4)) return found;
    if (hasText(bytes, at + 4, "IHDR")) {
      Object.assign(found, { width: view.getUint32(at + 8), height: view.getUint32(at + 12), bits: bytes[at + 16] });
    }
    if (hasText(bytes, at + 4, "acTL")) found.moves = view.getUint32(at + 8) > 1;
    if (hasText(bytes, at + 4, "IEND")) return { ...found, whole: true };
    at = next;
  }
  return found;
}

function examineWebp(bytes, view) {
  const whole = bytes.length >= 30 && bytes.length >= 8 + view.getUint32(4, true);
  const bits24 = (at) => bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16);
  if (!whole) return { whole };
  if (hasText(bytes, 12, "VP8X")) {
    const moves = (bytes[20] & WEBP_MOVES) !== 0, orientation = webpOrientation(bytes, view);
    return { whole, width: 1 + bits24(24), height: 1 + bits24(27), moves, orientation };
  }
  if (hasText(bytes, 12, "VP8L")) {
    const packed = view.getUint32(21, true);
    return { whole, width: 1 + (packed & 0x3fff), height: 1 + ((packed >> 14) & 0x3fff) };
  }
  return { whole, width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
}

function webpOrientation(bytes, view) {
  for (let at = 12; at + 8 <= bytes.length;) {
    const length = view.getUint32(at + 4, true), from = at + 8, end = Math.min(from + length, bytes.length);
    if (hasText(bytes, at, "EXIF")) return exifOrientation(view, hasText(bytes, from, "Exif\0\0") ? from + 6 : from, end);
    at = from + length + (length % 2);
  }
  return 1;
}

/** The orientation that a block of EXIF tells in its first directory: 1 where there is none, or none that has a meaning. */
function exifOrientation(view, from, end) {
  if (from + 8 > end) return 1;
  const isLittle = view.getUint8(from) === 0x49, begin = from + view.getUint32(from + 4, isLittle);
  for (let k = 0, at = begin + 2; begin + 2 <= end && k < view.getUint16(begin, isLittle) && at + 12 <= end; k++, at += 12) {
    const value = view.getUint16(at + 8, isLittle);
    if (view.getUint16(at, isLittle) === ORIENTATION_TAG) return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

function examineGif(bytes, view) {
  if (bytes.length < GIF_HEADER) return { whole: false };
  const found = { width: view.getUint16(6, true), height: view.getUint16(8, true) };
  const paletteBytes = (flags) => (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0);
  let at = GIF_HEADER + paletteBytes(bytes[10]), pictures = 0;
  while (at + 10 < bytes.length && (bytes[at] === GIF_EXTENSION || bytes[at] === GIF_PICTURE)) {
    const isPicture = bytes[at] === GIF_PICTURE;
    if (isPicture && ++pictures > 1) break;
    at += isPicture ? 11 + paletteBytes(bytes[at + 9]) : 2;
    while (bytes[at]) at += bytes[at] + 1;  // blocks of at most 255 bytes; an empty one, or the file's end, ends them
    at++;
  }
  return { ...found, moves: pictures > 1 };
}
