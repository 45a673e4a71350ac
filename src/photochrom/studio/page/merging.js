// Bringing together what was said of one photograph in two places that had known the same of it.

const KEY_OF_LISTS = { hints: mergedHints, frames: mergedFrames };

/** Whether two values of a look say the same. */
export const isSame = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** Return a look with what has changed from `base` to `mine` and to `theirs`; where both changed one value, mine counts. */
export function merged(base, mine, theirs) {
  const look = {};
  for (const key of new Set([...Object.keys(theirs), ...Object.keys(mine)])) {
    const value = mergedValue(key, base[key], mine[key], theirs[key]);
    if (value !== undefined) look[key] = value;
  }
  return look;
}

function mergedValue(key, base, mine, theirs) {
  if (isSame(mine, base)) return theirs;
  if (isSame(theirs, base)) return mine;
  return KEY_OF_LISTS[key]?.(base, mine, theirs) ?? mine;
}

/** Their hints but for those that I have removed, then those that I have added: the later counts where two lie on each other. */
function mergedHints(base = [], mine = [], theirs = []) {
  const isIn = (hints, hint) => hints.some((other) => isSame(other, hint));
  const kept = theirs.filter((hint) => isIn(mine, hint) || !isIn(base, hint));
  return [...kept, ...mine.filter((hint) => !isIn(base, hint) && !isIn(theirs, hint))];
}

function mergedFrames(base = {}, mine = {}, theirs = {}) {
  const frames = [...new Set([...Object.keys(theirs), ...Object.keys(mine)])];
  const said = frames.map((frame) => [frame, mergedHints(base[frame], mine[frame], theirs[frame])]);
  return Object.fromEntries(said.filter(([, hints]) => hints.length));
}
