// Large files as they were before packing.py made them smaller: decompressed, their bytes back in order.

/** The content, of so many bytes, or null where it does not come to that. planes: every planes-th byte lies together. */
export async function unpack(packed, planes, bytes) {
  const sorted = await decompressed(packed, bytes);
  if (!sorted || planes === 1) return sorted;
  const content = new Uint8Array(bytes);
  let from = 0;
  for (let plane = 0; plane < planes; plane++) {
    for (let at = plane; at < bytes; at += planes) content[at] = sorted[from++];
  }
  return content;
}

async function decompressed(packed, bytes) {
  const out = new Uint8Array(bytes), reader = new Response(packed).body.pipeThrough(new DecompressionStream("deflate")).getReader();
  let filled = 0;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      if (filled + next.value.length > bytes) return null;
      out.set(next.value, filled);
      filled += next.value.length;
    }
  } catch {
    return null;  // no zlib, or damaged
  } finally {
    reader.cancel().catch(() => {});
  }
  return filled === bytes ? out : null;
}
