// The wall: photographs as prints that take on colour as they are done.

import { button, make, toast } from "./elements.js";
import { faultText } from "./faults.js";
import { isShown, picture, tell, upload } from "./server.js";
import { t } from "./words.js";

/** One print. It changes only where its photograph has changed, so that hundreds cost nothing. */
class Print {
  constructor(photo) {
    this.frame = make("div", { class: "frame" });
    this.name = make("span", { class: "name" });
    this.state = make("span", { class: "state" });
    this.link = make("a", { href: `#${photo.id}` }, this.frame);
    this.stop = button("stop", t("stop"), () => act(photo.id, "stop"), { quiet: true });
    this.again = button("again", t("again"), () => act(photo.id, "again"), { quiet: true });
    this.down = button("remove", t("remove"), () => tell(`/studio/photos/${photo.id}`, {}, "DELETE").catch(fail), { quiet: true });
    const caption = make("div", { class: "caption" }, this.name, this.state, this.stop, this.again, this.down);
    this.element = make("li", { class: "print" }, this.link, caption);
    this.show(photo);
  }

  show(photo) {
    const isMade = photo.full === "working";
    const works = photo.state === "waiting" || photo.state === "working" || isMade;
    this.element.className = `print ${photo.state}`;
    this.name.textContent = photo.name;
    this.name.title = photo.name;
    const share = photo.progress ? `${Math.round(photo.progress * 100)} %` : t("working");
    this.state.textContent = { waiting: t("waiting"), working: t("working"), stopped: t("cancelled") }[photo.state] || (isMade ? share : "");
    this.stop.hidden = !works;
    this.again.hidden = photo.state !== "failed" && photo.state !== "stopped";
    this.link.setAttribute("aria-label", photo.name);
    if (isShown(photo)) this.link.href = `#${photo.id}`;
    else this.link.removeAttribute("href");
    const told = photo.state === "done" || photo.revision ? `${photo.revision}` : photo.state;
    if (told !== this.told || photo.error !== this.error) this.fill(photo);
    this.told = told;
    this.error = photo.error;
  }

  fill(photo) {
    const parts = [];
    const thumbnail = (more = {}) => make("img", { src: picture(photo, "thumbnail"), alt: "", loading: "lazy", ...more });
    if (photo.revision === 1) {
      const grey = thumbnail({ class: "grey" });  // the photograph before: one picture fetched instead of two
      parts.push(grey, thumbnail({ class: "colour", onanimationend: (event) => { event.target.classList.remove("colour"); grey.remove(); } }));
    } else if (photo.revision) parts.push(thumbnail());
    if (photo.kind === "film") parts.push(make("span", { class: "badge" }, t("film")));
    if (photo.state === "failed") parts.push(make("p", { class: "why" }, faultText(photo.error, photo.error_kind)));
    this.frame.replaceChildren(...parts);
  }
}

const fail = (error) => toast(error, "bad");
const act = (id, what) => tell(`/studio/photos/${id}/${what}`).catch(fail);

export class PhotoWall extends HTMLElement {
  prints = new Map();

  connectedCallback() {
    this.choose = make("input", { type: "file", multiple: true, hidden: true, onchange: () => this.hang([...this.choose.files]) });
    this.choose.setAttribute("aria-label", t("add"));
    const samples = button("", t("samples"), () => tell("/studio/samples").catch(fail));
    this.welcome = make("section", { class: "welcome" }, make("h1", {}, t("welcome")),
      make("div", { class: "dropping" }, make("strong", {}, t("dropHere")), make("p", {}, t("dropHelp")),
        make("div", { class: "buttons" }, button("add", t("add"), () => this.choose.click(), { kind: "main" }), samples)));
    this.plain = make("p", { hidden: true }, make("a", { href: "/try/" }, t("plainPage")));
    this.welcome.append(this.plain);
    this.list = make("ul", { class: "prints" });
    this.heading = make("h1", { class: "visually-hidden" }, t("wall"));
    this.replaceChildren(this.welcome, this.heading, this.list, this.choose);
  }

  /** Show what has changed. */
  show(photos, changed, removed) {
    const goes = removed.map((id) => this.prints.get(id)?.element).find((element) => element?.contains(document.activeElement));
    const beside = goes?.nextElementSibling ?? goes?.previousElementSibling;
    for (const id of removed) {
      this.prints.get(id)?.element.remove();
      this.prints.delete(id);
    }
    for (const photo of changed) {
      const print = this.prints.get(photo.id);
      if (print) print.show(photo);
      else {
        const made = new Print(photo);
        this.prints.set(photo.id, made);
        this.list.append(made.element);
      }
    }
    this.welcome.hidden = photos.size > 0;
    this.heading.hidden = photos.size === 0;
    if (goes) (beside?.isConnected ? beside.querySelector(".caption button:last-child") : this.welcome.querySelector("button")).focus();
  }

  /** Give a photograph's print the focus, which would be lost with the light table. */
  focusOn(id) { this.prints.get(id)?.link.focus(); }

  /** Say everything again, in another language. */
  speak(photos) {
    this.prints.clear();
    this.connectedCallback();
    this.show(photos, [...photos.values()], []);
  }

  /** Send files to the studio, two at a time. */
  async hang(files) {
    const waiting = files.filter((file) => file.size > 0);
    for (const { name } of files.filter((file) => !file.size)) toast(t("faultEmpty"), "bad", name);
    const send = async () => {
      for (let file = waiting.shift(); file; file = waiting.shift()) {
        try {
          await tell("/studio/photos", { upload: await upload(file) });
        } catch (error) {
          toast(error, "bad", file.name);
        }
      }
    };
    await Promise.all([send(), send()]);
  }
}

/** Return the files of a drop, those of folders too; what cannot be read is told, and costs no other file. */
export async function droppedFiles(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files];
  const found = [];
  const walk = (entry) => read(entry).catch(() => toast(t("faultRead"), "bad", entry.name));
  const read = async (entry) => {
    if (entry.isFile) found.push(await new Promise((take, refuse) => entry.file(take, refuse)));
    else {
      const reader = entry.createReader();
      for (;;) {
        const inside = await new Promise((take, refuse) => reader.readEntries(take, refuse));
        if (!inside.length) return;
        for (const one of inside) await walk(one);
      }
    }
  };
  for (const entry of entries) await walk(entry);
  return found.filter((file) => !file.name.startsWith("."));
}

customElements.define("photo-wall", PhotoWall);
