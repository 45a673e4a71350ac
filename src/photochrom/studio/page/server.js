// Talking to the studio on this computer: questions, uploads that go on after a break, and news of the wall.

const PIECE = 4 * 1024 * 1024;
const TRIES = 6;

/** An error in the server's words. */
export class Told extends Error {}

/** Ask, and return the answer; raise `Told` with the sentence where it is refused. */
export async function ask(path, { method = "GET", json, body, headers = {}, signal, keepalive } = {}) {
  if (json !== undefined) {
    body = JSON.stringify(json);
    headers = { ...headers, "Content-Type": "application/json" };
  }
  const answer = await fetch(path, { method, body, headers, signal, keepalive });
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({}));  // where no sentence came, the status has to do
  const kind = problem.type?.split(":").at(-1) ?? "";
  throw Object.assign(new Told(problem.detail ?? answer.statusText), { status: answer.status, kind });
}

/** Ask with a body of JSON, and return the answer's JSON. */
export async function tell(path, json = {}, method = "POST") {
  const answer = await ask(path, { method, json });
  return answer.status === 204 ? null : answer.json();
}

/** Send a file in pieces, going on where it stood after a break; return the upload's id. */
export async function upload(file, progress = () => {}) {
  const { id, href } = await tell("/v1/uploads", { name: file.name, size: file.size });
  let sent = 0;
  let failures = 0;
  while (sent < file.size) {
    try {
      if (failures) sent = (await (await ask(href)).json()).received;  // how much has come before the break
      if (sent < file.size) sent = (await (await ask(href, { method: "PUT", body: file.slice(sent, sent + PIECE), headers: rangeOf(sent, file.size) })).json()).received;
      failures = 0;
    } catch (error) {
      if (error instanceof Told && error.status !== 416) throw error;
      if ((failures += 1) > TRIES) throw error;
      await new Promise((resume) => setTimeout(resume, 300 * 2 ** failures));
    }
    progress(sent / file.size);
  }
  return id;
}

const rangeOf = (from, size) => ({ "Content-Range": `bytes ${from}-${Math.min(from + PIECE, size) - 1}/${size}` });

/** Hear of the wall, by one stream for all tabs where the browser can share it; `close` ends that. */
export function listen(heard, broken) {
  if (globalThis.SharedWorker) {
    const worker = new SharedWorker("/page/news.js", { name: "news" });
    worker.onerror = () => broken(true);
    worker.port.onmessage = ({ data }) => (data.news ? heard(data.news) : broken(data.isClosed));
    return { close: () => worker.port.postMessage("close") };
  }
  const source = new EventSource("/studio/events");
  source.onmessage = (event) => heard(JSON.parse(event.data));
  source.onerror = () => broken(source.readyState === EventSource.CLOSED);
  return source;
}

/** Return the address of a photograph's picture, which changes with its look. */
export function picture(photo, side) {
  return `/studio/photos/${photo.id}/${side}?r=${photo.revision}`;
}

/** Whether there is a picture of a photograph, which it keeps while it is coloured anew. */
export const isShown = (photo) => photo.state === "done" || photo.revision > 0;
