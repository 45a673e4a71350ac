// Photographs upright, where the file says how they lie and the browser does not see to it: EXIF in WebP.

// Two pixels beside each other, to be turned by a quarter.
const TURNED_WEBP = "UklGRk4AAABXRUJQVlA4WAoAAAAIAAAAAQAAAAAAVlA4TA4AAAAvAQAAAAcQEf0PRET/A0VYSUYaAAAATU0AKgAAAAgAAQESAAMAAAABAAYAAAAAAAA=";
// By orientation, as a canvas transforms: width and height stand for themselves.
const TRANSFORMS = {
  2: (w) => [-1, 0, 0, 1, w, 0], 3: (w, h) => [-1, 0, 0, -1, w, h], 4: (_, h) => [1, 0, 0, -1, 0, h], 5: () => [0, 1, 1, 0, 0, 0],
  6: (_, h) => [0, 1, -1, 0, h, 0], 7: (w, h) => [0, -1, -1, 0, h, w], 8: (w) => [0, -1, 1, 0, 0, w],
};
const FIRST_QUARTER = 5;

/** The bitmap of a file of an orientation (EXIF, 1 to 8), upright whether or not the browser has turned it. */
export async function upright(bitmap, orientation) {
  if (orientation === 1 || (await browserTurns())) return bitmap;
  const { width, height } = bitmap, isQuarter = orientation >= FIRST_QUARTER;
  const canvas = new OffscreenCanvas(isQuarter ? height : width, isQuarter ? width : height);
  const context = canvas.getContext("2d", { colorSpace: "srgb" });
  context.imageSmoothingEnabled = false;
  context.setTransform(...TRANSFORMS[orientation](width, height));
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return canvas.transferToImageBitmap();
}

async function browserTurns() {
  const bytes = Uint8Array.from(atob(TURNED_WEBP), (letter) => letter.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes]), { imageOrientation: "from-image" });
  return bitmap.height > bitmap.width;
}
