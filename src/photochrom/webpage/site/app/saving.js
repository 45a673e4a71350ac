// The full-size result as a file, with what was done to it written inside.

import { Fault } from "./fault.js";
import { encodePng } from "./png.js";

const JPEG_QUALITY = 0.95, STRIP_PIXELS = 1 << 20;
const XMP_HEADER = "http://ns.adobe.com/xap/1.0/\0";

/** A PNG: every tone as the photograph has it, transparency kept. paintRow: see painter in coloring.js. */
export function savePng(photo, paintRow, xmp, onRow) {
  const { width, height, codes, alpha } = photo;
  const fillRow = (row, out, at, step) => {
    paintRow(row, codes, row * width, out, at, step);
    if (alpha) for (let x = 0; x < width; x++) out[at + x * 4 + 3] = alpha[row * width + x];
  };
  return encodePng(width, height, alpha !== null, fillRow, { xmp, onRow });
}

/** A JPEG by the browser's own encoder: smaller, tones changed a little, transparency on white. */
export async function saveJpeg(photo, paintRow, xmp, onRow) {
  const { width, height, codes, alpha } = photo, rows = Math.max(1, Math.floor(STRIP_PIXELS / width));
  const canvas = new OffscreenCanvas(width, height), context = canvas.getContext("2d", { colorSpace: "srgb" });
  if (!context) throw new Fault("jpegTooLarge");
  for (let top = 0; top < height; top += rows) {
    const count = Math.min(rows, height - top), strip = new ImageData(width, count);
    strip.data.fill(255);
    for (let k = 0; k < count; k++) paintRow(top + k, codes, (top + k) * width, strip.data, k * width * 4, 4);
    if (alpha) layOnWhite(strip.data, alpha, top * width);
    context.putImageData(strip, 0, top);
    onRow(top + count);
  }
  refuseEmpty(context, canvas);
  let blob;
  try {
    blob = await canvas.convertToBlob({ type: "image/jpeg", quality: JPEG_QUALITY });
  } catch {
    throw new Fault("jpegTooLarge");
  }
  return withXmp(blob, xmp);
}

function layOnWhite(rgba, alpha, from) {
  for (let at = 0, k = 0; k < rgba.length; at++, k += 4) {
    const share = alpha[from + at] / 255;
    for (let band = 0; band < 3; band++) rgba[k + band] = 255 + share * (rgba[k + band] - 255);
  }
}

/** Beyond its largest canvas a browser may draw nothing and say nothing; what was painted is opaque. */
function refuseEmpty(context, { width, height }) {
  if (context.getImageData(width - 1, height - 1, 1, 1).data[3] !== 255) throw new Fault("jpegTooLarge");
}

async function withXmp(blob, xmp) {
  const packet = new TextEncoder().encode(XMP_HEADER + xmp), head = new Uint8Array(4);
  head.set([0xff, 0xe1]);
  new DataView(head.buffer).setUint16(2, packet.length + 2);
  return new Blob([blob.slice(0, 2), head, packet, blob.slice(2)], { type: "image/jpeg" });
}
