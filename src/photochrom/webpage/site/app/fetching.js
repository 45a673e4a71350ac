// Large files: fetched once, believed only if their hash is the one promised, and kept by that hash for the next visit.

import { Fault } from "./fault.js";
import { sha256 } from "./hashing.js";
import { unpack } from "./unpacking.js";

const CACHE = "photochrom-page";  // the service worker's, which clears it out

/**
 * { content, kept }: a file's bytes, and whether the browser keeps them. onBytes hears of each piece, as it comes, packed.
 * keeps: whether they are to be kept. promised: { bytes, sha256 } of the content, and the same of it packed, with the number of its planes.
 */
export async function fetchLarge(url, promised, keeps, onBytes) {
  const cache = keeps ? await openCache() : undefined, key = new URL(`../by-content/${promised.packed.sha256}`, import.meta.url).href;
  const kept = await cache?.match(key);
  if (kept) {
    const content = await whole(kept, promised.packed, onBytes).then((packed) => opened(packed, promised)).catch(() => null);
    if (content) return { content, kept: true };
    await cache.delete(key);  // damaged on the disk
  }
  const packed = await whole(await answerOf(url), promised.packed, onBytes), content = await opened(packed, promised);
  return { content, kept: await keep(cache, key, packed) };
}

/** The content of a packed file, believed if its hash is the one promised. */
async function opened(packed, { packed: { planes }, bytes, sha256: expected }) {
  const content = await unpack(packed, planes, bytes);
  if (!content || (await sha256(content)) !== expected) throw new Fault("altered");
  return content;
}

async function openCache() {
  try {
    return await globalThis.caches?.open(CACHE);  // there is none on plain http
  } catch {
    return undefined;  // the person's settings forbid it
  }
}

async function answerOf(url) {
  try {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    return answer;
  } catch (error) {
    throw new Fault("unreachable", { reason: error.message });
  }
}

async function whole(answer, { bytes }, onBytes) {
  const content = new Uint8Array(bytes);
  let filled = 0;
  for await (const piece of piecesOf(answer)) {
    if (filled + piece.length > content.length) throw new Fault("altered");
    content.set(piece, filled);
    filled += piece.length;
    onBytes(filled);
  }
  if (filled !== content.length) throw new Fault("altered");
  return content;
}

async function* piecesOf(answer) {
  const reader = answer.body.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } catch (error) {
    throw new Fault("unreachable", { reason: error.message });
  } finally {
    reader.cancel().catch(() => {});
  }
}

async function keep(cache, key, content) {
  try {
    await cache.put(key, new Response(content));
    return true;
  } catch {
    return false;  // no cache, or no room in it: the page works, and fetches again next time
  }
}
