// The heavy work, beside the page: one request after another, each answered with a result or a fault.

import { colorsOf, paint, painter, prepare, recognize } from "./coloring.js";
import { openPhoto, previewSize } from "./decoding.js";
import { Fault, faultOf } from "./fault.js";
import { Answers } from "./hearing.js";
import { shrinkLuma } from "./luma.js";
import { loadNet } from "./net.js";
import { saveJpeg, savePng } from "./saving.js";

const PROGRESS_EVERY_MS = 80;
let settings, net, photo, screen, prepared, answers;
let queue = Promise.resolve();

const requests = {
  /** Fetches and starts the net; kept says whether it is here for the next visit. */
  async start({ page }) {
    settings = page;
    net = loadNet(settings, import.meta.url, progress("model"));
    return { result: { kept: (await net).kept } };
  },

  /** Decodes a file and asks the net about it. */
  async open({ file }) {
    photo = screen = prepared = answers = null;
    photo = await openPhoto(file);
    const { before, ...kept } = photo;
    photo = kept;
    postMessage({ stage: "color", before, width: photo.width, height: photo.height }, [before]);
    prepared = prepare(photo, (await net).spec);
    const asked = prepared, model = await net;
    answers = new Answers((hints) => recognize(asked, model, hints));
    const { blank } = await answers.to([]);
    screen = screenCopy(photo);
    return { result: { notes: photo.notes, blank } };
  },

  /** Paints the screen's copy in a look { vividness, warmth, hints }. */
  async look({ look }) {
    const colors = await colorsFor(look), { width, height } = screen;
    const bitmap = await createImageBitmap(new ImageData(paint(screen, colors), width, height));
    return { result: { bitmap }, transfer: [bitmap] };
  },

  /** Writes the photograph at full size. */
  async save({ look, format }) {
    const paintRow = painter(await colorsFor(look), photo.width, photo.height), xmp = provenance(look);
    const report = progress("save"), onRow = (rows) => report(rows, photo.height);
    return { result: await (format === "png" ? savePng : saveJpeg)(photo, paintRow, xmp, onRow) };
  },
};

async function colorsFor(look) {
  if (!answers) throw new Fault("nothingOpen");
  return colorsOf(answers, prepared, (await net).spec, look, photo);
}

/** What the file will say of its making. */
function provenance({ vividness, warmth, hints = [] }) {
  const colors = [...new Set(hints.map((hint) => hint.color))];
  const values = {
    VIVIDNESS: vividness, WARMTH: warmth, COUNT: hints.length,
    "&quot;COLORS&quot;": colors.map((color) => `&quot;${color}&quot;`).join(", "), COLORS: colors.join(", "),
  };
  const template = hints.length ? settings.xmp_hinted : settings.xmp;
  return Object.entries(values).reduce((text, [gap, value]) => text.replaceAll(gap, value), template);
}

function screenCopy({ width, height, codes, alpha }) {
  const [small, low] = previewSize(width, height);
  if (small === width && low === height) return { width, height, codes, alpha };
  const luma = shrinkLuma(codes, width, height, small, low, 1).net;
  const thin = alpha && shrinkLuma(alpha, width, height, small, low, 1).net;
  const coded = (plane) => Uint8Array.from(plane, (value) => Math.round(value * 255));
  return { width: small, height: low, codes: coded(luma), alpha: thin && coded(thin) };
}

function progress(stage) {
  let last = 0;
  return (done, total) => {
    if (done < total && performance.now() - last < PROGRESS_EVERY_MS) return;
    last = performance.now();
    postMessage({ stage, done, total });
  };
}

async function answer({ id, ask, ...request }) {
  try {
    const { result, transfer } = await requests[ask](request);
    postMessage({ id, result }, transfer ?? []);
  } catch (error) {
    const { message, values } = faultOf(error);
    postMessage({ id, fault: { name: message, values } });
  }
}

onmessage = ({ data }) => {
  // The net is fetched while a photograph is opened already.
  if (data.ask === "start") answer(data);
  else queue = queue.then(() => answer(data));
};
