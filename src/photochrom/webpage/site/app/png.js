// Writes PNG row by row, whatever its size: no canvas, so no limit but memory, and every code value as it was given.

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const RGB = 2, RGBA = 6;
const SUB = 1, UP = 2, PAETH = 4;
const STRIP_BYTES = 1 << 20;
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit++) byte = byte & 1 ? (byte >>> 1) ^ 0xedb88320 : byte >>> 1;
  return byte;
});

/** The checksum of PNG's chunks. */
export function crc32(bytes, before = 0) {
  let crc = ~before;
  for (let at = 0; at < bytes.length; at++) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ bytes[at]) & 0xff];
  return ~crc >>> 0;
}

/**
 * A Blob of a PNG of 8 bits a channel.
 * fillRow(row, out, at, step) writes one row's pixels into out, from index at on, step (3, or 4 with alpha) bytes apart.
 */
export async function encodePng(width, height, hasAlpha, fillRow, { xmp = "", onRow = () => {} } = {}) {
  const header = new Uint8Array(13), view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, hasAlpha ? RGBA : RGB, 0, 0, 0], 8);
  const parts = [Uint8Array.from(SIGNATURE), chunk("IHDR", header), chunk("sRGB", Uint8Array.of(0))];
  if (xmp) parts.push(chunk("iTXt", new TextEncoder().encode(`XML:com.adobe.xmp\0\0\0\0\0${xmp}`)));
  const squeezed = new CompressionStream("deflate"), gathered = gather(squeezed.readable);
  const writer = squeezed.writable.getWriter();
  for await (const strip of filteredStrips(width, height, hasAlpha ? 4 : 3, fillRow, onRow)) {
    await Promise.race([writer.write(strip), gathered]);
  }
  await writer.close();
  for (const data of await gathered) parts.push(chunk("IDAT", data));
  return new Blob([...parts, chunk("IEND", new Uint8Array(0))], { type: "image/png" });
}

async function gather(stream) {
  const pieces = [], reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) pieces.push(next.value);
  return pieces;
}

function chunk(name, data) {
  const out = new Uint8Array(data.length + 12), view = new DataView(out.buffer);
  view.setUint32(0, data.length);
  out.set(new TextEncoder().encode(name), 4);
  out.set(data, 8);
  view.setUint32(data.length + 8, crc32(out.subarray(4, data.length + 8)));
  return out;
}

async function* filteredStrips(width, height, step, fillRow, onRow) {
  const length = width * step, rowsAtOnce = Math.max(1, Math.floor(STRIP_BYTES / (length + 1)));
  let above = new Uint8Array(length), row = new Uint8Array(length);
  const tries = [SUB, UP, PAETH].map((filter) => ({ filter, bytes: new Uint8Array(length) }));
  for (let top = 0; top < height; top += rowsAtOnce) {
    const bottom = Math.min(top + rowsAtOnce, height), strip = new Uint8Array((bottom - top) * (length + 1));
    for (let y = top, at = 0; y < bottom; y++, at += length + 1) {
      fillRow(y, row, 0, step);
      const best = bestFiltered(tries, row, above, step);
      strip[at] = best.filter;
      strip.set(best.bytes, at + 1);
      [above, row] = [row, above];
    }
    onRow(bottom);
    yield strip;
  }
}

/** Of the filters, the one with the smallest differences: what the PNG specification advises. */
function bestFiltered(tries, row, above, step) {
  let best = tries[0], least = Infinity;
  for (const attempt of tries) {
    const size = applyFilter(attempt.filter, row, above, step, attempt.bytes);
    if (size < least) [best, least] = [attempt, size];
  }
  return best;
}

function applyFilter(filter, row, above, step, out) {
  let size = 0;
  for (let at = 0; at < row.length; at++) {
    const left = at < step ? 0 : row[at - step], up = above[at];
    const guess = filter === SUB ? left : filter === UP ? up : paeth(left, up, at < step ? 0 : above[at - step]);
    const rest = (row[at] - guess) & 0xff;
    out[at] = rest;
    size += rest < 128 ? rest : 256 - rest;
  }
  return size;
}

function paeth(left, up, corner) {
  const byLeft = Math.abs(up - corner), byUp = Math.abs(left - corner), byCorner = Math.abs(left + up - 2 * corner);
  if (byLeft <= byUp && byLeft <= byCorner) return left;
  return byUp <= byCorner ? up : corner;
}
