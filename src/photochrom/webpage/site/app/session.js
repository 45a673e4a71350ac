// The page's end of the worker: a request is a promise, and a worker that has died is replaced by the next request.

import { Fault } from "./fault.js";

const FATAL = ["memory", "stopped", "cannotStart"];

export class Session {
  /** page: page.json; onStage hears { stage, ... } while something takes time. */
  constructor(page, onStage) {
    this.page = page;
    this.onStage = onStage;
    this.waiting = new Map();
    this.count = 0;
  }

  /** Fetches and starts the net, once; again only after it has failed. Gives { kept }. */
  start() {
    this.starting ??= this.ask("start", { page: this.page }).catch((fault) => {
      this.end();
      throw fault;
    });
    return this.starting;
  }

  /** The picture's facts, { notes, blank }, once the net has seen it. */
  async open(file) {
    const started = this.start(), opened = this.ask("open", { file });
    opened.catch(() => {});  // where the net does not start, its own fault is told
    await started;
    return opened;
  }

  look(look) {
    return this.ask("look", { look });
  }

  save(look, format) {
    return this.ask("save", { look, format });
  }

  ask(ask, request) {
    this.worker ??= this.hire();
    const id = ++this.count;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ id, ask, ...request });
    });
  }

  hire() {
    const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }) => (data.id ? this.settle(data) : this.onStage(data));
    worker.onerror = (event) => {
      event.preventDefault();
      this.end(new Fault("stopped", { reason: event.message ?? "" }));
    };
    return worker;
  }

  settle({ id, result, fault }) {
    const { resolve, reject } = this.waiting.get(id) ?? {};
    this.waiting.delete(id);
    if (!fault) return resolve?.(result);
    const found = new Fault(fault.name, fault.values);
    reject?.(found);
    if (FATAL.includes(fault.name)) this.end(found);  // its memory may be in any state
  }

  end(fault = new Fault("stopped", { reason: "" })) {
    this.worker?.terminate();
    this.worker = this.starting = null;
    for (const { reject } of this.waiting.values()) reject(fault);
    this.waiting.clear();
  }
}
