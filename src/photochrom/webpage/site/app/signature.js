// What kind of file it is, by its first bytes, how large its picture, and whether the file is all there.
// Browsers show half of a broken file without a word; half a photograph in colour is worse than none.

import { crc32 } from "./png.js";

const SIGNATURES = [
  ["JPEG", 0, "\xff\xd8\xff"], ["PNG", 0, "\x89PNG\r\n\x1a\n"], ["WebP", 8, "WEBP"], ["GIF", 0, "GIF8"], ["BMP", 0, "BM"],
  ["TIFF", 0, "II*\0"], ["TIFF", 0, "MM\0*"], ["AVIF", 4, "ftypavif"], ["HEIC", 4, "ftypheic"], ["HEIC", 4, "ftypmif1"],
  ["JPEG XL", 0, "\xff\x0a"], ["JPEG XL", 4, "JXL "], ["JPEG 2000", 4, "jP  "], ["Photoshop", 0, "8BPS"], ["PDF", 0, "%PDF"],
];
const FIRST_FRAME = 0xc0, LAST_FRAME = 0xcf, NOT_FRAMES = [0xc4, 0xc8, 0xcc];
const SCAN = 0xda, END = 0xd9;

/** { kind, width, height, bits, whole }: kind is null for what is no picture, the sizes null where they are not told. */
export function examine(bytes) {
  const kind = SIGNATURES.find(([, at, text]) => hasText(bytes, at, text))?.[0] ?? null;
  const found = { kind, width: null, height: null, bits: 8, whole: true };
  const reader = { JPEG: examineJpeg, PNG: examinePng, WebP: examineWebp }[kind];
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
    if (hasText(bytes, at + 4, "IEND")) return { ...found, whole: true };
    at = next;
  }
  return found;
}

function examineWebp(bytes, view) {
  const whole = bytes.length >= 30 && bytes.length >= 8 + view.getUint32(4, true);
  const bits24 = (at) => bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16);
  if (!whole) return { whole };
  if (hasText(bytes, 12, "VP8X")) return { whole, width: 1 + bits24(24), height: 1 + bits24(27) };
  if (hasText(bytes, 12, "VP8L")) {
    const packed = view.getUint32(21, true);
    return { whole, width: 1 + (packed & 0x3fff), height: 1 + ((packed >> 14) & 0x3fff) };
  }
  return { whole, width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
}
