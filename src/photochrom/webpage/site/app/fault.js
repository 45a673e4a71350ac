// What can go wrong, as the name of a text in strings.json and the values for its gaps.

export class Fault extends Error {
  constructor(name, values = {}) {
    super(name);
    this.values = values;
  }
}

/** The fault behind any error: our own as it is, and those of the browser by what they mean. */
export function faultOf(error, otherwise = "stopped") {
  if (error instanceof Fault) return error;
  const text = String(error?.message ?? error);
  const isMemory = error instanceof RangeError || /bad_alloc|out of memory|allocation failed|out of bounds/i.test(text);
  return isMemory ? new Fault("memory") : new Fault(otherwise, { reason: text.split("\n")[0].slice(0, 160) });
}
