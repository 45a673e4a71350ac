// Everything that the page says, once: one row per sentence, one column per language.

const LANGUAGES = ["en", "de", "fr"];
export const NAMES = { en: "English", de: "Deutsch", fr: "Français" };

const WORDS = {
  add: ["Add photographs", "Fotos hinzufügen", "Ajouter des photos"],
  again: ["Try again", "Nochmals versuchen", "Réessayer"],
  album: ["Save all", "Alle sichern", "Tout enregistrer"],
  albumDone: ["The album is ready.", "Das Album ist fertig.", "L’album est prêt."],
  always: ["always", "immer", "toujours"],
  answerNext: ["Skip", "Überspringen", "Passer"],
  ask: ["Ask me", "Frag mich", "Interrogez-moi"],
  asking: ["Which colour was this?", "Welche Farbe hatte das?", "De quelle couleur était ceci ?"],
  askHelp: ["Where the colours are a guess, you may know better. Each answer is a hint.", "Wo die Farben geraten sind, wissen Sie es vielleicht besser. Jede Antwort ist ein Hinweis.", "Là où les couleurs sont devinées, vous savez peut-être. Chaque réponse est un indice."],
  askNone: ["Nothing left to ask.", "Es gibt nichts mehr zu fragen.", "Plus rien à demander."],
  auto: ["where needed", "wo nötig", "si nécessaire"],
  back: ["Back to the wall", "Zurück zur Wand", "Retour au mur"],
  before: ["Before", "Vorher", "Avant"],
  after: ["After", "Nachher", "Après"],
  brush: ["Brush", "Pinsel", "Pinceau"],
  brushHelp: ["Click or paint on the photograph. With the keyboard: arrows move the cross, Enter sets a hint.", "Auf das Foto klicken oder malen. Mit der Tastatur: Pfeile bewegen das Kreuz, Enter setzt einen Hinweis.", "Cliquez ou peignez sur la photo. Au clavier : les flèches déplacent la croix, Entrée pose un indice."],
  color: ["Colour", "Farbe", "Couleur"],
  compare: ["Compare: slider, side by side, one picture", "Vergleichen: Regler, nebeneinander, ein Bild", "Comparer : curseur, côte à côte, une image"],
  cancelled: ["stopped", "angehalten", "arrêté"],
  damage: ["Scratches, stains", "Kratzer, Flecken", "Rayures, taches"],
  divider: ["Before and after", "Vorher und nachher", "Avant et après"],
  dropHere: ["Drop old photographs here", "Alte Fotos hierher ziehen", "Déposez ici de vieilles photos"],
  dropHelp: ["or choose files. They stay on this computer: nothing is sent anywhere else. Originals are never changed.", "oder Dateien wählen. Sie bleiben auf diesem Computer: nichts wird irgendwohin gesendet. Originale werden nie verändert.", "ou choisissez des fichiers. Ils restent sur cet ordinateur : rien n’est envoyé ailleurs. Les originaux ne changent jamais."],
  drops: ["Take a colour from the picture", "Farbe aus dem Bild nehmen", "Prélever une couleur dans l’image"],
  dropsOther: ["… or click a colour in another photograph", "… oder in einem anderen Foto eine Farbe anklicken", "… ou cliquez une couleur dans une autre photo"],
  faultColorless: ["A photograph without colours has none to lend.", "Ein Foto ohne Farben hat keine zu verleihen.", "Une photo sans couleurs n’en a pas à prêter."],
  faultExists: ["{name} exists already. Save it again to replace it.", "{name} gibt es schon. Nochmals sichern ersetzt es.", "{name} existe déjà. Enregistrez à nouveau pour le remplacer."],
  faultExtra: ["A part of the program is not installed.", "Ein Teil des Programms ist nicht installiert.", "Une partie du programme n’est pas installée."],
  faultFilm: ["The film cannot be read.", "Der Film lässt sich nicht lesen.", "Le film ne peut pas être lu."],
  faultFull: ["The studio’s folder is full. Take photographs down to make room.", "Der Ordner des Studios ist voll. Hängen Sie Fotos ab, um Platz zu schaffen.", "Le dossier du studio est plein. Décrochez des photos pour faire de la place."],
  faultGone: ["It is not there, or no longer.", "Das gibt es nicht, oder nicht mehr.", "Cela n’existe pas, ou plus."],
  faultLater: ["The studio has enough to do at the moment. Try again later.", "Das Studio hat gerade genug zu tun. Versuchen Sie es später.", "Le studio est occupé. Réessayez plus tard."],
  faultModel: ["The model for this cannot be used.", "Das Modell dafür lässt sich nicht verwenden.", "Le modèle nécessaire ne peut pas être utilisé."],
  faultNotFound: ["The file is no longer where it was.", "Die Datei ist nicht mehr, wo sie war.", "Le fichier n’est plus là où il était."],
  faultOption: ["A setting is not possible.", "Eine Einstellung geht so nicht.", "Un réglage n’est pas possible."],
  faultOther: ["Something went wrong.", "Etwas ging schief.", "Un problème est survenu."],
  faultOutput: ["The result could not be written.", "Das Ergebnis konnte nicht geschrieben werden.", "Le résultat n’a pas pu être écrit."],
  faultReferences: ["{n} references are taken already.", "Es sind schon {n} Vorlagen da.", "Il y a déjà {n} références."],
  faultSearch: ["Look for damage first.", "Suchen Sie zuerst nach Schäden.", "Recherchez d’abord les dégâts."],
  faultSlow: ["It came too slowly and was given up. Try again.", "Es kam zu langsam und wurde aufgegeben. Versuchen Sie es noch einmal.", "L’envoi était trop lent et a été abandonné. Réessayez."],
  faultTime: ["It took too long and was ended.", "Es dauerte zu lange und wurde beendet.", "C’était trop long et a été arrêté."],
  faultToken: ["The studio does not let this page in. Open the address that it prints.", "Das Studio lässt diese Seite nicht ein. Öffnen Sie die angezeigte Adresse.", "Le studio refuse cette page. Ouvrez l’adresse qu’il affiche."],
  faultTooLarge: ["It is too large.", "Das ist zu groß.", "C’est trop grand."],
  faultUnreadable: ["The file is damaged, or is no picture.", "Die Datei ist beschädigt, oder kein Bild.", "Le fichier est abîmé, ou n’est pas une image."],
  faultUnsupported: ["Files of this kind cannot be taken.", "Dateien dieser Art gehen nicht.", "Les fichiers de ce genre ne sont pas acceptés."],
  faultWall: ["The wall is full: {n} photographs. Take some down.", "Die Wand ist voll: {n} Fotos. Hängen Sie einige ab.", "Le mur est plein : {n} photos. Décrochez-en."],
  film: ["Film", "Film", "Film"],
  findDamage: ["Show the mask", "Maske zeigen", "Montrer le masque"],
  finding: ["Looking for damage …", "Schäden werden gesucht …", "Recherche des dégâts …"],
  fit: ["Whole picture", "Ganzes Bild", "Image entière"],
  fullSize: ["Full size in work …", "Volle Größe in Arbeit …", "Pleine taille en cours …"],
  gone: ["The studio has ended. Start it again, and open the address that it prints.", "Das Studio ist beendet. Starten Sie es neu und öffnen Sie die angezeigte Adresse.", "Le studio est arrêté. Relancez-le et ouvrez l’adresse affichée."],
  hintFile: ["Hints as a file", "Hinweise als Datei", "Indices en fichier"],
  hintList: ["Hints", "Hinweise", "Indices"],
  hintNone: ["No hints yet.", "Noch keine Hinweise.", "Pas encore d’indices."],
  hold: ["Hold to see the photograph before", "Halten, um das Foto vorher zu sehen", "Maintenir pour voir la photo avant"],
  language: ["Language", "Sprache", "Langue"],
  left: ["{n} to go, about {time}", "noch {n}, etwa {time}", "encore {n}, environ {time}"],
  lookPart: ["Look", "Aussehen", "Aspect"],
  maskAdd: ["Paint: this is damage", "Malen: das ist Schaden", "Peindre : ceci est abîmé"],
  maskHelp: ["Red is filled. Paint in what was missed, take out what is no damage.", "Rot wird gefüllt. Malen Sie nach, was fehlt, und nehmen Sie heraus, was kein Schaden ist.", "Le rouge sera comblé. Ajoutez ce qui manque, retirez ce qui n’est pas abîmé."],
  maskRemove: ["Erase: this is no damage", "Radieren: das ist kein Schaden", "Effacer : ceci n’est pas abîmé"],
  minutes: ["{n} min", "{n} Min.", "{n} min"],
  never: ["never", "nie", "jamais"],
  neutralize: ["Make sepia neutral", "Sepia neutral machen", "Neutraliser le sépia"],
  next: ["Next photograph", "Nächstes Foto", "Photo suivante"],
  noise: ["Grain, noise", "Korn, Rauschen", "Grain, bruit"],
  noiseStrength: ["How much grain goes", "Wie viel Korn verschwindet", "Part du grain retirée"],
  notes: ["What was decided", "Was entschieden wurde", "Ce qui a été décidé"],
  opened: ["{name}, light table", "{name}, Leuchttisch", "{name}, table lumineuse"],
  panLabel: ["Photograph. Plus and minus zoom, arrows move, B shows it before.", "Foto. Plus und Minus zoomen, Pfeile verschieben, B zeigt es vorher.", "Photo. Plus et moins pour zoomer, flèches pour déplacer, B pour voir avant."],
  plainPage: ["The page for any web host, which colours without a server", "Die Seite für jeden Webserver, die ohne Programm koloriert", "La page pour tout hébergeur, qui colorise sans serveur"],
  previous: ["Previous photograph", "Voriges Foto", "Photo précédente"],
  questions: ["Questions", "Fragen", "Questions"],
  reach: ["Reach", "Reichweite", "Portée"],
  recipe: ["Recipe", "Rezept", "Recette"],
  redo: ["Redo", "Wiederholen", "Rétablir"],
  reference: ["Reference photograph", "Vorlage", "Photo de référence"],
  referenceHelp: ["A colour photograph of the same room, clothes or person lends its colours to what both show.", "Ein Farbfoto desselben Raums, Kleides oder Menschen leiht seine Farben dem, was beide zeigen.", "Une photo en couleurs du même lieu ou de la même personne prête ses couleurs à ce que toutes deux montrent."],
  referenceNone: ["Without references", "Ohne Vorlagen", "Sans références"],
  remove: ["Take down", "Abhängen", "Décrocher"],
  removeHint: ["Remove hint {n}", "Hinweis {n} entfernen", "Retirer l’indice {n}"],
  restore: ["Restore", "Restaurieren", "Restaurer"],
  restoreFirst: ["Restore before colouring", "Vor dem Kolorieren restaurieren", "Restaurer avant de coloriser"],
  restoreHelp: ["Nothing is invented: what is damaged is filled from its surroundings.", "Nichts wird erfunden: Schadhaftes wird aus der Umgebung gefüllt.", "Rien n’est inventé : les dégâts sont comblés d’après leurs alentours."],
  samples: ["Begin with sample pictures", "Mit Beispielbildern beginnen", "Commencer avec des exemples"],
  save: ["Save", "Sichern", "Enregistrer"],
  saveHelp: ["Full size and depth, metadata kept, the same bytes that the command line writes.", "Volle Größe und Tiefe, mit Metadaten, dieselben Bytes wie auf der Kommandozeile.", "Pleine taille, métadonnées gardées, les mêmes octets que la ligne de commande."],
  saved: ["Saved as {name}", "Gesichert als {name}", "Enregistré sous {name}"],
  seconds: ["{n} s", "{n} s", "{n} s"],
  stageHelp: ["Shown at screen size; saved at full size.", "Gezeigt in Bildschirmgröße, gesichert in voller.", "Montré à la taille de l’écran, enregistré en pleine taille."],
  placeInShot: ["Frame within the shot", "Bild innerhalb der Einstellung", "Image dans le plan"],
  shotCount: ["{n} shots", "{n} Einstellungen", "{n} plans"],
  shotN: ["Shot {n}, from {time}", "Einstellung {n}, ab {time}", "Plan {n}, dès {time}"],
  shots: ["Shots", "Einstellungen", "Plans"],
  shotsHelp: ["Choose a frame, and say colours in it with the brush: they rule its shot.", "Wählen Sie ein Bild und nennen Sie darin mit dem Pinsel Farben: Sie gelten für die Einstellung.", "Choisissez une image et indiquez-y des couleurs au pinceau : elles valent pour tout le plan."],
  shotsSought: ["Shots are being looked for …", "Einstellungen werden gesucht …", "Recherche des plans …"],
  stop: ["Stop", "Anhalten", "Arrêter"],
  tone: ["Fading, exposure", "Verblassen, Belichtung", "Décoloration, exposition"],
  toneStrength: ["How far tones are corrected", "Wie weit Töne korrigiert werden", "Correction des tons"],
  uncertainty: ["Show where colours are a guess", "Zeigen, wo Farben geraten sind", "Montrer où les couleurs sont devinées"],
  undo: ["Undo", "Rückgängig", "Annuler"],
  versions: ["Other versions", "Andere Fassungen", "Autres versions"],
  versionN: ["Version {n}", "Fassung {n}", "Version {n}"],
  vividness: ["Vividness", "Lebhaftigkeit", "Vivacité"],
  waiting: ["waiting", "wartet", "en attente"],
  wall: ["The wall", "Die Wand", "Le mur"],
  warmth: ["Warmth", "Wärme", "Chaleur"],
  welcome: ["Old photographs, in colour, here.", "Alte Fotos, in Farbe, hier.", "De vieilles photos, en couleurs, ici."],
  width: ["Width", "Breite", "Largeur"],
  working: ["in work", "in Arbeit", "en cours"],
  zoomIn: ["Larger", "Größer", "Agrandir"],
  zoomOut: ["Smaller", "Kleiner", "Réduire"],
};

let language = localStorage.getItem("language") || navigator.languages.map((l) => l.slice(0, 2)).find((l) => LANGUAGES.includes(l)) || "en";
document.documentElement.lang = language;

/** Return a sentence in the language chosen, with values in its places. */
export function t(key, values = {}) {
  const text = WORDS[key][LANGUAGES.indexOf(language)];
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** Return how long something takes, in words. */
export function duration(seconds) {
  return seconds < 90 ? t("seconds", { n: Math.max(1, Math.round(seconds)) }) : t("minutes", { n: Math.round(seconds / 60) });
}

export const current = () => language;

/** Speak another language from now on. */
export function speak(other) {
  language = other;
  localStorage.setItem("language", other);
  document.documentElement.lang = other;
}
