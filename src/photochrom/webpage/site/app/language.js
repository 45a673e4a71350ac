// The page's words, from one table: strings.json, { name: { language: text } }. {gaps} are filled with values.

const KEPT = "photochrom-language";
export const LANGUAGES = { en: "English", de: "Deutsch", fr: "Français" };

export class Words {
  constructor(table, language) {
    this.table = table;
    this.language = language;
  }

  /** The text of a name; numbers as the language writes them. */
  say(name, values = {}) {
    const text = this.table[name]?.[this.language] ?? name;
    return text.replace(/\{(\w+)\}/g, (_, gap) => {
      const value = values[gap] ?? "";
      return typeof value === "number" ? value.toLocaleString(this.language) : value;
    });
  }

  /** Fills every element that names a text: data-text its content, data-label its aria-label. */
  fill(root) {
    root.lang = this.language;
    for (const element of root.querySelectorAll("[data-text]")) element.textContent = this.say(element.dataset.text);
    for (const element of root.querySelectorAll("[data-label]")) {
      element.setAttribute("aria-label", this.say(element.dataset.label));
    }
  }
}

/** The language that was chosen before, else the first of the browser's that we speak, else English. */
export function chosenLanguage() {
  const wished = [kept(), ...navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase())];
  return wished.find((language) => language in LANGUAGES) ?? "en";
}

export function keepLanguage(language) {
  try {
    localStorage.setItem(KEPT, language);
  } catch {
    // A browser that keeps nothing asks again next time.
  }
}

function kept() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}
