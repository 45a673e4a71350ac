// What was decided, in the language of the page: the library's notes are known by how they begin.

import { t } from "./words.js";

const NOTES = [
  [/^blank picture:/, "noteBlank"],
  [/^printed picture: its dots/, "notePrinted"],
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
  [/^(?:converted from its colour profile to sRGB|stored as sRGB)/, "noteProfile"],
  [/^CMYK without a usable profile/, "noteCmyk"],
  [/^infrared channel kept apart/, "noteInfrared"],
  [/^page (?<n>\d+) of (?<all>\d+)/, "notePage"],
  [/^damage: none found/, "noteDamageNone"],
  [/^damage: (?<share>[\d.]+%) of the picture filled.*; (?<left>[\d.]+%) left, thicker/, "noteDamageSome"],
  [/^damage: (?<share>[\d.]+%) of the picture filled, as the mask says/, "noteDamageMask"],
  [/^damage: (?<share>[\d.]+%) of the picture filled/, "noteDamageFilled"],
  [/^damage: /, "noteDamageLeft"],
  [/^noise: removed by (?<share>[\d.]+%)/, "noteNoiseGone"],
  [/^noise: left alone/, "noteNoiseLeft"],
  [/^tone: corrected/, "noteToneDone"],
  [/^tone: left alone/, "noteToneLeft"],
  [/^(?:toning: )?looks like a negative now/, "noteTurned"],
  [/^(?:toning: )?looks like a .+ negative/, "noteNegative"],
  [/^toning: .+ made neutral/, "noteNeutral"],
  [/^toning: .+ kept/, "noteTintKept"],
  [/^reference: matched in (?<n>\d+) of (?<all>\d+) passages/, "notePassages"],
  [/^reference: (?<n>\d+) of (?<all>\d+) places matched/, "notePlaces"],
  [/^reference: nothing in it matches/, "noteNoMatch"],
  [/^no frame was met for (?<name>.+)$/, "noteNoFrame"],
  [/^(?<n>\d+) damaged frames/, "noteDamagedFrames"],
  [/^the film ends early/, "noteEndsEarly"],
  [/^begun anew/, "noteBegun"],
  [/^(?:luma rounded from (?<n>\d+) to (?<all>\d+) bits|floating-point samples 0\.\.1 read)/, "noteBits"],
  [/^(?:damaged file|rows? .* (?:missing|lost|filled))/, "noteDamagedFile"],
  [/^(?:HDR \(|tone and noise networks left alone)/, "noteHdr"],
  [/^(?:interlaced )?film: /, "noteInterlaced"],
  [/^(?:Lab converted to sRGB|the colour space inside|colour profile ignored)/, "noteLab"],
  [/^(?:.*left out|sound and subtitles are not in a folder)/, "noteLeftOut"],
  [/^luma: /, "noteLuma"],
  [/^no luma plane: /, "noteNoLuma"],
  [/^colours at 4:4:4: /, "noteFullChroma"],
  [/^(?<n>\d+) recordings in one file/, "noteRecordings"],
  [/^(?:the first of (?<n>\d+) pictures taken|the photograph was found behind|the infrared channel found on the page|first frame of \d+ taken|.+ holds one page)/, "noteSeveral"],
  [/^(?<n>[\d.]+) frames a second taken/, "noteSuper8"],
  [/^.+ holds 8 bits per channel/, "noteEightBits"],
  [/^(?:IPTC records|comments) written as XMP/, "noteMetadata"],
  [/^.+ holds no transparency/, "noteOpaque"],
  [/^(?<n>\d+) frames had no time stamp/, "noteStamps"],
];

/** Return a note in the language of the page; one that the page does not know stays as it is. */
export function noteText(note) {
  return known(note) ?? note;
}

/** Return several notes told as one sentence; what is none by itself is the end of one, which its beginning says. */
export function notesText(sentence) {
  const told = sentence.split("; ").map(known);
  return told.includes(null) ? noteText(sentence) : told.join(" ");
}

function known(note) {
  for (const [pattern, key] of NOTES) {
    const found = pattern.exec(note);
    if (found) return t(key, found.groups ?? {});
  }
  return null;
}
