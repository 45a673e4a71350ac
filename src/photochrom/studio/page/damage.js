// The mask of damage: found by the studio at full size, shown over the photograph, corrected by strokes.

import { toast } from "./elements.js";
import { ask } from "./server.js";

export class DamageMask {
  strokes = [];
  picture = null;

  constructor(table) {
    this.table = table;
  }

  /** Take up what was found and corrected before the page was opened. */
  async recall() {
    const { found, strokes } = await (await ask(this.table.address("mask/strokes"))).json();
    if (!found || this.picture) return;
    this.strokes = strokes;
    this.table.dataset.strokes = String(strokes.length);
    await this.take(await ask(this.table.address("mask")));
  }

  async find() {
    this.table.setFinding(true);
    try {
      await this.table.history.settle();
      await this.take(await ask(this.table.address("mask"), { method: "POST", json: {} }));
    } catch (error) {
      toast(error, "bad");
    }
    this.table.setFinding(false);
  }

  async take(answer) {
    this.picture = await answer.blob();
    await this.table.showMask();
  }

  add(stroke) {
    this.strokes.push(stroke);
    return this.correct();
  }

  undo() {
    this.strokes.pop();
    return this.correct();
  }

  async correct() {
    try {
      await this.table.history.settle();
      await this.take(await ask(this.table.address("mask"), { method: "PUT", json: { strokes: this.strokes } }));
      this.table.dataset.strokes = String(this.strokes.length);
      this.table.history.preview();
    } catch (error) {
      toast(error, "bad");
    }
  }
}
