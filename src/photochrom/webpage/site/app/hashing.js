// SHA-256, also where the browser has none: on plain http it gives crypto.subtle to nobody but this computer.

const BLOCK_BYTES = 64, WORDS = 64;
const primes = firstPrimes(WORDS);
const START = primes.slice(0, 8).map((prime) => fractionBits(Math.sqrt(prime)));
const ROUND = primes.map((prime) => fractionBits(Math.cbrt(prime)));

/** The SHA-256 of bytes, in hexadecimal. */
export async function sha256(bytes) {
  if (!globalThis.crypto?.subtle) return plainSha256(bytes);
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

/** SHA-256 without the browser's help (FIPS 180-4, section 6.2). */
export function plainSha256(bytes) {
  const state = Uint32Array.from(START), schedule = new Uint32Array(WORDS);
  const whole = bytes.length - (bytes.length % BLOCK_BYTES);
  for (let at = 0; at < whole; at += BLOCK_BYTES) addBlock(state, schedule, bytes, at);
  const rest = bytes.subarray(whole), end = new Uint8Array(rest.length + 9 > BLOCK_BYTES ? 2 * BLOCK_BYTES : BLOCK_BYTES);
  end.set(rest);
  end[rest.length] = 0x80;
  new DataView(end.buffer).setBigUint64(end.length - 8, BigInt(bytes.length) * 8n);
  for (let at = 0; at < end.length; at += BLOCK_BYTES) addBlock(state, schedule, end, at);
  const digest = new Uint8Array(32), view = new DataView(digest.buffer);
  state.forEach((word, k) => view.setUint32(4 * k, word));
  return hex(digest);
}

function addBlock(state, schedule, bytes, at) {
  for (let k = 0; k < 16; k++, at += 4) {
    schedule[k] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
  }
  for (let k = 16; k < WORDS; k++) {
    const one = schedule[k - 15], two = schedule[k - 2];
    const small = turned(one, 7) ^ turned(one, 18) ^ (one >>> 3), large = turned(two, 17) ^ turned(two, 19) ^ (two >>> 10);
    schedule[k] = schedule[k - 16] + small + schedule[k - 7] + large;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let k = 0; k < WORDS; k++) {
    const first = (h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + ((e & f) ^ (~e & g)) + ROUND[k] + schedule[k]) | 0;
    const second = ((turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, k) => { state[k] += word; });
}

const turned = (word, by) => (word >>> by) | (word << (32 - by));
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

function fractionBits(value) {
  return ((value - Math.floor(value)) * 2 ** 32) >>> 0;
}

function firstPrimes(count) {
  const found = [];
  for (let number = 2; found.length < count; number++) {
    if (found.every((prime) => number % prime)) found.push(number);
  }
  return found;
}
