// A film on the light table: its shots as a strip, and the frame of it that is looked at and painted.

import { make, range, toast } from "./elements.js";
import { tell } from "./server.js";
import { t } from "./words.js";

/** Return a time of a film as people write it, to a tenth of a second. */
function clock(seconds) {
  const minutes = Math.floor(seconds / 60);
  return `${minutes}:${(seconds - 60 * minutes).toFixed(1).padStart(4, "0")}`;
}

export class FilmFrames {
  /** table: the light table. */
  constructor(table) {
    this.table = table;
    this.current = table.photo.frame;
  }

  get hints() { return this.table.look.frames?.[this.current] ?? []; }
  get isPoster() { return this.current === this.table.photo.frame; }

  /** Return a look in which hints are said of the frame that is shown. */
  withHints(hints) {
    const { [this.current]: _, ...others } = this.table.look.frames ?? {};
    return { frames: hints.length ? { ...others, [this.current]: hints } : others };
  }

  /** Show the frame of a time. */
  async show(seconds) {
    this.wanted = seconds;
    if (this.isFetching) return;
    this.isFetching = true;
    while (this.wanted !== null) {
      const at = this.wanted;
      this.wanted = null;
      await this.fetch(at).catch((error) => toast(error, "bad"));
    }
    this.isFetching = false;
  }

  async fetch(seconds) {
    const { frame } = await tell(`/studio/photos/${this.table.photo.id}/frames`, { at_s: seconds });
    this.current = frame;
    await this.table.showFrame();
  }
}

/** The shots of a film, and where in one the frame lies. */
export function filmPart(table) {
  const strip = make("div", { class: "shots", role: "group", "aria-label": t("shots") });
  const told = make("p", { role: "status" });
  const place = make("div", { class: "part-fields" });
  const part = make("section", { class: "part" }, make("h2", {}, t("shots")), make("p", {}, t("shotsHelp")), told, strip, place);
  part.update = () => {
    const { photo, frames, look } = table, at = Number(frames.current), shots = photo.shots;
    told.textContent = shots.length ? `${shots.length === 1 ? t("shotOne") : t("shotCount", { n: shots.length })}, ${clock(at)}` : t("shotsSought");
    for (let k = strip.childElementCount; k < shots.length; k += 1) strip.append(shotButton(table, k));
    for (const [k, one] of [...strip.children].entries()) {
      const [begin, end] = shots[k];
      one.setAttribute("aria-pressed", String(begin <= at && at < end));
      one.classList.toggle("said", Object.entries(look.frames ?? {}).some(([frame, hints]) => hints.length && begin <= Number(frame) && Number(frame) < end));
    }
    const shot = shots.find(([begin, end]) => begin <= at && at < end);
    if (shot && !place.contains(document.activeElement)) place.replaceChildren(placeInShot(frames, shot, at));
  };
  return part;
}

function shotButton(table, k) {
  const { photo } = table, [begin, , middle] = photo.shots[k];
  const image = make("img", { src: `/studio/photos/${photo.id}/shots/${k}`, alt: "", loading: "lazy" });
  return make("button", { type: "button", "aria-label": t("shotN", { n: k + 1, time: clock(begin) }), title: clock(begin), onclick: () => table.frames.show(middle) }, image);
}

function placeInShot(frames, [begin, end], at) {
  return range(t("placeInShot"), { min: begin, max: Math.max(begin, end - 0.001), step: 0.001, value: at, shown: clock, oninput: (seconds) => frames.show(seconds) });
}
