// How one photograph is to look: what was changed, step by step, shown at once and kept when no more follows.

import { toast } from "./elements.js";
import { ask, tell } from "./server.js";

const KEPT_MS = 700;

export class LookHistory {
  /** table: the light table, whose `lookChanged` and `showResult` are called. */
  constructor(table, look) {
    this.table = table;
    this.steps = [structuredClone(look)];
    this.at = 0;
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

  /** Another tab has changed it. */
  follow(look) {
    if (JSON.stringify(look) !== JSON.stringify(this.current)) this.push(structuredClone(look));
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

  async keep() {
    this.waiting = null;
    this.keeping = (this.keeping ?? 0) + 1;
    try {
      await tell(this.table.address("look"), this.current, "PUT");
      this.table.dataset.kept = String(this.at);
    } catch (error) {
      toast(error, "bad");
    }
    this.keeping -= 1;
  }

  /** Whether the studio does not know yet what is shown here, so that what it tells is old. */
  get isAhead() { return Boolean(this.waiting || this.keeping); }

  /** Keep what waits to be kept, before something is made of it. */
  async settle() {
    if (!this.waiting) return;
    clearTimeout(this.waiting);
    await this.keep();
  }
}
