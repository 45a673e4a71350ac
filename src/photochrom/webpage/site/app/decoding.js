// A file becomes a photograph in memory: upright, its luma as integer codes, its transparency apart.

import { Fault } from "./fault.js";
import { lumaCode } from "./luma.js";
import { examine } from "./signature.js";
import { looksColored } from "./toning.js";
import { upright } from "./turning.js";

export const MOST_PIXELS = 250_000_000;
const STRIP_PIXELS = 1 << 20, TONING_PX = 256, PREVIEW_PX = 2048, OPAQUE = 255;
const WIDEST_SHEET = 8192;  // no browser has canvases of any width
const READABLE = ["JPEG", "PNG", "WebP", "GIF", "BMP", "AVIF"];

/** { name, width, height, codes, alpha, notes, before }: before is a bitmap of the photograph as it was, for the screen. */
export async function openPhoto(file) {
  const about = await examined(file), bitmap = await decoded(file, about);
  try {
    const { width, height } = bitmap;
    const isColored = looksColored(smallCopy(bitmap, TONING_PX)), { codes, alpha } = readLuma(bitmap);
    const told = [about.bits > 8 && "depth", about.moves && "moves", alpha && "transparent", isColored && "colored"];
    const notes = told.filter(Boolean);
    return { name: file.name || "photo", width, height, codes, alpha, notes, before: before(bitmap) };
  } finally {
    bitmap.close();
  }
}

/** [width, height] of the copy that the screen shows. */
export function previewSize(width, height) {
  const scale = Math.min(1, PREVIEW_PX / Math.max(width, height));
  return [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
}

async function examined(file) {
  if (!file.size) throw new Fault("empty");
  let bytes;
  try {
    bytes = new Uint8Array(await file.arrayBuffer());
  } catch (error) {
    throw new Fault("unreadable", { reason: error.message });
  }
  const about = examine(bytes), pixels = (about.width ?? 0) * (about.height ?? 0);
  if (!about.kind) throw new Fault("notPicture");
  if (!about.whole) throw new Fault("broken", { kind: about.kind });
  refuseLarge(pixels);
  return about;
}

function refuseLarge(pixels) {
  if (pixels > MOST_PIXELS) {
    throw new Fault("tooLarge", { found: Math.round(pixels / 1e6), limit: MOST_PIXELS / 1e6 });
  }
}

async function decoded(file, { kind, width, orientation }) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    if (!READABLE.includes(kind)) throw new Fault("foreign", { kind });
    throw new Fault(width ? "undecodable" : "broken", { kind });
  }
  refuseLarge(bitmap.width * bitmap.height);
  return upright(bitmap, orientation);
}

/** A canvas of this size that is read rather than shown. */
function sheet(width, height) {
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true, colorSpace: "srgb" });
  if (!context) throw new Fault("memory");
  return context;
}

function smallCopy(bitmap, most) {
  const scale = Math.min(1, most / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale)), height = Math.max(1, Math.round(bitmap.height * scale));
  const context = sheet(width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

function before(bitmap) {
  const [width, height] = previewSize(bitmap.width, bitmap.height);
  const canvas = new OffscreenCanvas(width, height), context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  return canvas.transferToImageBitmap();
}

/** Luma codes and, where something is transparent, alpha; read piece by piece, as phones have no canvas for a large scan. */
function readLuma(bitmap) {
  const { width, height } = bitmap, columns = Math.min(width, WIDEST_SHEET);
  const rows = Math.max(1, Math.min(height, Math.floor(STRIP_PIXELS / columns)));
  const codes = new Uint8Array(width * height), context = sheet(columns, rows);
  context.imageSmoothingEnabled = false;
  refuseTampering(context);
  let alpha = null;
  for (let top = 0; top < height; top += rows) {
    for (let left = 0; left < width; left += columns) {
      const across = Math.min(columns, width - left), down = Math.min(rows, height - top);
      context.clearRect(0, 0, columns, rows);
      context.drawImage(bitmap, left, top, across, down, 0, 0, across, down);
      const pixels = new Uint32Array(context.getImageData(0, 0, across, down).data.buffer);  // red lowest
      const covering = readPiece(pixels, across, codes, top * width + left, width);
      if (covering < OPAQUE) alpha ??= new Uint8Array(width * height).fill(OPAQUE);
      const place = (at) => (top + Math.floor(at / across)) * width + left + (at % across);
      if (alpha) for (let at = 0; at < pixels.length; at++) alpha[place(at)] = pixels[at] >>> 24;
    }
  }
  return { codes, alpha };
}

/** Writes the codes of a piece from an index on, rows so far apart; gives what all its alphas have in common. */
function readPiece(pixels, across, codes, from, apart) {
  let covering = OPAQUE;
  for (let begin = 0, to = from; begin < pixels.length; begin += across, to += apart) {
    for (let x = 0; x < across; x++) {  // a pixel at a time: a quarter of the time
      const pixel = pixels[begin + x];
      codes[to + x] = lumaCode(pixel & 255, (pixel >>> 8) & 255, (pixel >>> 16) & 255);
      covering &= pixel >>> 24;
    }
  }
  return covering;
}

/** Some browsers add noise to whatever is read from a canvas, against fingerprinting: then no tone would be exact. */
function refuseTampering(context) {
  const { width, height } = context.canvas, side = Math.min(16, width, height);
  const given = new ImageData(Uint8ClampedArray.from({ length: side * side * 4 }, (_, k) =>
    k % 4 === 3 ? 255 : (k * 37) % 251), side, side);
  context.putImageData(given, 0, 0);
  const found = context.getImageData(0, 0, side, side);
  if (found.data.some((value, k) => value !== given.data[k])) throw new Fault("tampered");
}
