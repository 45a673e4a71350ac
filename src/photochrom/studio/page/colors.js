// Colours, as the page shows them and calls them.

import { t } from "./words.js";

// Hues in degrees up to which a colour has its name, and what dark and pale ones are called.
const HUES = [[15, "colorRed", "", "colorPink"], [45, "colorOrange", "colorBrown", "colorBeige"], [68, "colorYellow", "colorOlive", "colorBeige"], [160, "colorGreen"],
  [197, "colorTeal"], [255, "colorBlue"], [292, "colorViolet"], [346, "colorPink"], [361, "colorRed", "", "colorPink"]];
const GREY = 0.14, PALE = 0.62, MUTED = 0.4;

/** Return what a colour is called, #rrggbb. */
export function colorName(hex) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255);
  const most = Math.max(red, green, blue), least = Math.min(red, green, blue), chroma = most - least, light = (most + least) / 2;
  if (chroma < GREY) return t(light < 0.12 ? "colorBlack" : light > 0.93 ? "colorWhite" : "colorGrey");
  const sixth = most === red ? (green - blue) / chroma : most === green ? 2 + (blue - red) / chroma : 4 + (red - green) / chroma;
  const [, plain, dull, pale] = HUES.find(([upTo]) => (sixth * 60 + 360) % 360 < upTo);
  const isDull = dull && (light < 0.42 || chroma < MUTED);
  const name = t(pale && light > PALE && chroma < MUTED ? pale : isDull ? dull : plain);
  if (light < 0.25) return t("colorDark", { name });
  return light > 0.75 ? t("colorLight", { name }) : name;
}

/** Return a hint's colour for the page; Lab is shown at a middle lightness. */
export function cssColor(color) {
  return typeof color === "string" ? color : `lab(62 ${color[0]} ${color[1]})`;
}

/** Return the colour of a picture, on the page or decoded, at a place, as #rrggbb. */
export function colorOf(image, x, y) {
  const canvas = new OffscreenCanvas(1, 1);
  const context = canvas.getContext("2d");
  const at = (share, size) => Math.min(size - 1, Math.max(0, Math.floor(share * size)));
  const [width, height] = image instanceof ImageBitmap ? [image.width, image.height] : [image.naturalWidth, image.naturalHeight];
  context.drawImage(image, at(x, width), at(y, height), 1, 1, 0, 0, 1, 1);
  return `#${[...context.getImageData(0, 0, 1, 1).data].slice(0, 3).map((v) => v.toString(16).padStart(2, "0")).join("")}`;
}
