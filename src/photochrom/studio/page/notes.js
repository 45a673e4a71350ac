// What was decided, in the language of the page: the library's notes are known by how they begin.

import { t } from "./words.js";

const NOTES = [
  [/^blank picture:/, "noteBlank"],
  [/^faded scan \((?<share>[\d.]+%)/, "noteFaded"],
  [/^dark picture \(median (?<share>[\d.]+%)/, "noteDark"],
  [/^1 hint followed$/, "noteHint"],
  [/^(?<n>\d+) hints followed$/, "noteHints"],
  [/^hints followed in (?<n>\d+) frames$/, "noteHintFrames"],
  [/^lightness of hints ignored/, "noteLightness"],
  [/^hint (?<which>.+) lies under later ones/, "noteHidden"],
  [/^hint (?<which>.+): too strong for this tone/, "noteStrong"],
  [/^version (?<n>\d+): (?<share>[\d.]+%) as likely/, "noteVersion"],
  [/^(?<n>\d+) of \d+ versions: no other/, "noteVersions"],
  [/^pale colours strengthened to (?<share>[\d.]+%)/, "notePale"],
  [/^colours weakened to (?<share>[\d.]+%)/, "noteWeak"],
  [/^(?:may be in colour already|in colour already: coloured anew)/, "noteAnew"],
  [/^in colour already: (?:skipped|its colours kept)/, "noteInColor"],
  [/^converted from its colour profile to sRGB/, "noteProfile"],
  [/^CMYK without a usable profile/, "noteCmyk"],
  [/^infrared channel kept apart/, "noteInfrared"],
  [/^page (?<n>\d+) of (?<all>\d+)/, "notePage"],
  [/^damage: none found/, "noteDamageNone"],
  [/^damage: (?<share>[\d.]+%) of the picture filled, as the mask says/, "noteDamageMask"],
  [/^damage: (?<share>[\d.]+%) of the picture filled/, "noteDamageFilled"],
  [/^damage: /, "noteDamageLeft"],
  [/^noise: removed by (?<share>[\d.]+%)/, "noteNoiseGone"],
  [/^noise: left alone/, "noteNoiseLeft"],
  [/^tone: corrected/, "noteToneDone"],
  [/^tone: left alone/, "noteToneLeft"],
  [/^toning: .+ made neutral/, "noteNeutral"],
  [/^toning: .+ kept/, "noteTintKept"],
  [/^reference: matched in (?<n>\d+) of (?<all>\d+) passages/, "notePassages"],
  [/^reference: nothing in it matches/, "noteNoMatch"],
  [/^no frame was met for (?<name>.+)$/, "noteNoFrame"],
  [/^(?<n>\d+) damaged frames/, "noteDamagedFrames"],
  [/^the film ends early/, "noteEndsEarly"],
];

/** Return a note in the language of the page; one that the page does not know stays as it is. */
export function noteText(note) {
  for (const [pattern, key] of NOTES) {
    const found = pattern.exec(note);
    if (found) return t(key, found.groups ?? {});
  }
  return note;
}
