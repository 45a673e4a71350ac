// How one photograph is to look: what was changed, step by step, shown at once and kept when no more follows.

import { toast } from "./elements.js";
import { isSame, merged } from "./merging.js";
import { ask } from "./server.js";

const KEPT_MS = 700;
const TRIES = 5;
const LONGEST_KEEPALIVE = 60_000;  // browsers send 64 KB for pages that are gone, no more

export class LookHistory {
  /** table: the light table, whose `lookChanged` and `showResult` are called; photo: as the studio tells it. */
  constructor(table, photo) {
    this.table = table;
    this.base = photo;  // what the studio is known to know
    this.steps = [structuredClone(photo.look)];
    this.at = 0;
    this.keeping = 0;
    this.kept = Promise.resolve();
  }

  get current() { return this.steps[this.at]; }
  get canUndo() { return this.at > 0; }
  get canRedo() { return this.at < this.steps.length - 1; }

  push(look) {
    this.steps.splice(this.at + 1, Infinity, look);
    this.at = this.steps.length - 1;
  }

  /** Change values; changes of one slider in a row are one step. */
  change(values, name = "") {
    const look = { ...this.current, ...values };
    const isSame = name && name === this.lastName && this.waiting && !this.canRedo && this.canUndo;
    if (isSame) this.steps[this.at] = look;
    else this.push(look);
    this.lastName = name;
    this.renew();
  }

  step(by) {
    this.at = Math.min(this.steps.length - 1, Math.max(0, this.at + by));
    this.lastName = "";
    this.renew();
  }

  /** Take what another tab has changed, unless something that was said here is on its way: then both are brought together. */
  follow(photo) {
    if (this.isAhead || photo.asked <= this.base.asked) return;
    this.base = photo;
    if (!isSame(photo.look, this.current)) this.push(structuredClone(photo.look));
  }

  /** Bring what was said here together with what was said elsewhere since both knew the same. */
  meet(photo) {
    this.push(merged(this.base.look, this.current, photo.look));
    this.base = photo;
    this.preview();
    this.table.lookChanged();
  }

  renew() {
    this.preview();  // asked for before the page draws itself anew: the studio works meanwhile
    this.table.lookChanged();
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.keep(), KEPT_MS);
  }

  /** Show the look at once. While one is being made, only the last one asked for follows. */
  async preview() {
    this.isStale = true;
    if (this.isShowing) return;
    this.isShowing = true;
    while (this.isStale) {
      this.isStale = false;
      await this.showOnce().catch((error) => toast(error, "bad"));
    }
    this.isShowing = false;
  }

  async showOnce() {
    const answer = await ask(this.table.address("preview"), { method: "POST", json: this.current });
    await this.table.showResult(await answer.blob(), JSON.parse(answer.headers.get("Photochrom-Notes")));
  }

  /** Keep the look, after those that are on their way. */
  keep() {
    clearTimeout(this.waiting);
    this.waiting = null;
    this.keeping += 1;
    this.kept = this.kept.then(() => this.keepOnce()).catch((error) => toast(error, "bad")).finally(() => {
      this.keeping -= 1;
      if (this.table.isConnected) this.table.show(this.table.photo);  // what has come meanwhile
    });
    return this.kept;
  }

  async keepOnce() {
    for (let tries = 1; ; tries += 1) {
      const at = this.at;
      try {
        this.base = await (await this.send(this.base.asked)).json();
        this.table.dataset.kept = String(at);
        return;
      } catch (error) {
        if (error.status !== 409 || tries === TRIES) throw error;
      }
      this.meet(await (await ask(this.table.address("look"))).json());
    }
  }

  /** Send the look to a studio that knows of so many changes; where it knows of others, it refuses (409). */
  send(asked) {
    const headers = { "Photochrom-Asked": String(asked) };
    const keepalive = JSON.stringify(this.current).length < LONGEST_KEEPALIVE;
    return ask(this.table.address("look"), { method: "PUT", json: this.current, headers, keepalive });
  }

  /** Send what waits to be kept while the page goes; what is on its way will have been one change. */
  keepAtOnce() {
    if (!this.waiting) return;
    clearTimeout(this.waiting);
    this.waiting = null;
    this.send(this.base.asked + (this.keeping ? 1 : 0)).catch(() => {});  // nobody is there any more to be told
  }

  /** Whether the studio does not know yet what is shown here, so that what it tells is old. */
  get isAhead() { return Boolean(this.waiting || this.keeping); }

  /** Keep what waits to be kept, before something is made of it. */
  settle() { return this.waiting ? this.keep() : this.kept; }
}
