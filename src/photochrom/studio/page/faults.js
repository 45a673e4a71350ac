// What went wrong, in the language of the page: what kind of thing it is, and the command line's own sentence with it.

import { notesText } from "./notes.js";
import { SENTENCES } from "./sentences.js";
import { current, t } from "./words.js";

const KINDS = {
  UnreadablePhotoError: "faultUnreadable", UnsupportedPhotoError: "faultUnsupported", PhotoTooLargeError: "faultTooLarge",
  PhotoNotFoundError: "faultNotFound", OutputError: "faultOutput", OptionError: "faultOption", MissingExtraError: "faultExtra",
  FilmError: "faultFilm", FilmNotFoundError: "faultNotFound", UnreadableFilmError: "faultFilm", UnsupportedFilmError: "faultUnsupported",
  ModelError: "faultModel", UnknownModelError: "faultModel", ModelNotInstalledError: "faultModel", ModelFileError: "faultModel",
};
const STATUSES = { 401: "faultToken", 403: "faultToken", 404: "faultGone", 408: "faultSlow", 413: "faultTooLarge", 429: "faultLater" };

/** Return what to tell of an error: its kind by name, its status of HTTP if any, and the sentence. */
export function faultText(sentence, kind = "", status = 0) {
  if (current() === "en") return sentence;
  for (const [pattern, key] of SENTENCES) {
    const found = pattern.exec(sentence);
    if (found) return t(key, found.groups ?? {});
  }
  const told = notesText(sentence);
  if (told !== sentence) return told;
  const key = KINDS[kind] ?? STATUSES[status] ?? "faultOther";
  return sentence ? `${t(key)} (${sentence})` : t(key);
}

/** Return the name of the file because of which something was not written, "" where that is not why. */
export function thereName(sentence) {
  const [pattern] = SENTENCES.find(([, key]) => key === "faultExists");
  return pattern.exec(sentence)?.groups.name ?? "";
}

/** Return what to tell of something that was thrown. */
export function tellFault(error) {
  if (error instanceof TypeError) return t("gone");  // what fetch throws where nobody answers
  return faultText(error.message, error.kind, error.status);
}
