// Colours, as the page shows them.

/** Return a hint's colour for the page; Lab is shown at a middle lightness. */
export function cssColor(color) {
  return typeof color === "string" ? color : `lab(62 ${color[0]} ${color[1]})`;
}

/** Return a picture's colour at a place, as #rrggbb. */
export function colorOf(image, x, y) {
  const canvas = new OffscreenCanvas(1, 1);
  const context = canvas.getContext("2d");
  const at = (share, size) => Math.min(size - 1, Math.max(0, Math.floor(share * size)));
  context.drawImage(image, at(x, image.naturalWidth), at(y, image.naturalHeight), 1, 1, 0, 0, 1, 1);
  return `#${[...context.getImageData(0, 0, 1, 1).data].slice(0, 3).map((v) => v.toString(16).padStart(2, "0")).join("")}`;
}
