// The colour model in ONNX Runtime's WebAssembly: fetched once, checked against its hash, then run.

import { Fault, faultOf } from "./fault.js";
import { fetchLarge } from "./fetching.js";

const HINT_CHANNELS = 3;
const HIGHEST_AB = 400, HIGHEST_LOGIT = 1e6;

/**
 * settings: page.json, in whose folder base lies. onProgress(done, total) counts bytes.
 * Gives { spec, kept, run(luma, width, height, hints) }; hints: 3 planes, a*, b* and weight, or null. kept says whether the next visit can do without a network.
 */
export async function loadNet(settings, base, onProgress) {
  const { model, runtime } = settings, files = [model, runtime.wasm], done = [0, 0];
  const total = model.packed.bytes + runtime.wasm.packed.bytes;
  const [weights, wasm] = await Promise.all(files.map((file, place) =>
    fetchLarge(new URL(file.path, base), file, settings.keep, (bytes) => {
      done[place] = bytes;
      onProgress(done[0] + done[1], total);
    })));
  const session = await start(new URL(runtime.script, base), wasm.content, weights.content);
  const run = (...picture) => ask(session, model.spec, ...picture);
  return { spec: model.spec, kept: weights.kept && wasm.kept, run };
}

async function start(script, wasm, weights) {
  try {
    const ort = await import(script);
    ort.env.logLevel = "error";
    ort.env.wasm.wasmBinary = wasm.buffer;
    ort.env.wasm.numThreads = 1;
    const session = await ort.InferenceSession.create(weights, { executionProviders: ["wasm"] });
    return { session, Tensor: ort.Tensor };
  } catch (error) {
    throw faultOf(error, "cannotStart");
  }
}

/** a*, b* (2 planes) and logits (a plane per class) of a padded luma plane, with the grid's width and height. */
async function ask({ session, Tensor }, spec, luma, width, height, hints) {
  const feeds = {
    luma: new Tensor("float32", luma, [1, 1, height, width]),
    temperature: new Tensor("float32", Float32Array.of(spec.temperature), []),
    hints: new Tensor("float32", hints ?? new Float32Array(HINT_CHANNELS * width * height), [1, HINT_CHANNELS, height, width]),
  };
  const names = session.inputNames.filter((name) => name in feeds), wanted = ["ab", "logits"];
  const answer = await session.run(Object.fromEntries(names.map((name) => [name, feeds[name]])), wanted);
  const columns = width / spec.output_stride, rows = height / spec.output_stride;
  checkAnswer(answer.ab, [1, 2, rows, columns], HIGHEST_AB);
  checkAnswer(answer.logits, [1, spec.bins_ab.length, rows, columns], HIGHEST_LOGIT);
  return { ab: answer.ab.data, logits: answer.logits.data, columns, rows };
}

function checkAnswer({ data, dims }, shape, highest) {
  const fits = dims.length === shape.length && dims.every((length, axis) => length === shape[axis]);
  if (!fits || !data.every((value) => Math.abs(value) <= highest)) throw new Fault("wrongAnswer");
}
