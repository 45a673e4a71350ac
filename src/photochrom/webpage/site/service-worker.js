// Keeps the page's files by what they contain, so that it works without a network, and a newer version fetches only what
// has changed. FILES is filled in at export: path -> { sha256, large }. The large ones the page fetches, checks and
// keeps itself (app/fetching.js); they are named here so that they are not cleared out.

const FILES = "@FILES@";
const CACHE = "photochrom-page";
const POLICY = "@POLICY@";

const scope = new URL("./", self.location), keyOf = ({ sha256 }) => new URL(`by-content/${sha256}`, scope).href;

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("fetch", (event) => {
  const { request } = event, file = request.method === "GET" && fileOf(request.url);
  if (file && !file.large) event.respondWith(answer(file, request));
});

function fileOf(address) {
  const url = new URL(address), inside = url.origin === scope.origin && url.pathname.startsWith(scope.pathname);
  const path = inside && (decodeURI(url.pathname.slice(scope.pathname.length)) || "index.html");
  return inside && Object.hasOwn(FILES, path) ? FILES[path] : null;
}

async function install() {
  const cache = await caches.open(CACHE), small = Object.entries(FILES).filter(([, { large }]) => !large);
  await Promise.all(small.map(async ([path, file]) => {
    if (!(await cache.match(keyOf(file)))) await keep(cache, file, new URL(path, scope));
  }));
}

/** Keeps a file under the hash of what it holds, if that is the one promised; else the installation fails. */
async function keep(cache, file, url) {
  const fresh = await fetch(url, { cache: "no-cache" }), content = await fresh.arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  const found = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (!fresh.ok || found !== file.sha256) throw new Error(`${url} is not the file that was promised`);
  // A worker obeys the policy of its own file, not that of the page, and many hosts can send none.
  const headers = { "Content-Type": fresh.headers.get("Content-Type") ?? "", "Content-Security-Policy": POLICY };
  await cache.put(keyOf(file), new Response(content, { headers }));
}

/** What only an older version needed goes, once none is open any more. */
async function activate() {
  const cache = await caches.open(CACHE), wanted = new Set(Object.values(FILES).map(keyOf));
  for (const request of await cache.keys()) if (!wanted.has(request.url)) await cache.delete(request);
  await self.clients.claim();
}

async function answer(file, request) {
  const kept = await (await caches.open(CACHE)).match(keyOf(file));
  return kept ?? fetch(request);
}
