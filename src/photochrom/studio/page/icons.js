// Icons, drawn for this page: 24 units, a line of 1.7.

const PATHS = {
  add: "M12 5v14M5 12h14",
  album: "M4 7h16v12H4zM8 7V4h12v11M8 15l3-3 2 2 3-4 4 5",
  again: "M5 12a7 7 0 1 1 2 5M5 18v-4h4",
  back: "M15 5l-7 7 7 7",
  brush: "M14 4l6 6-7 7-6-6zM7 11c-3 1-2 5-4 7 4 1 7-1 7-4",
  close: "M6 6l12 12M18 6L6 18",
  compare: "M12 3v18M4 6h8v12H4zM14 6h6v12h-6",
  drop: "M14 6l4 4M16 4l4 4-3 3-4-4zM13 8l-8 8-1 4 4-1 8-8",
  eye: "M2 12c4-7 16-7 20 0-4 7-16 7-20 0zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6",
  fit: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  hand: "M8 12V6a1.5 1.5 0 0 1 3 0v5-7a1.5 1.5 0 0 1 3 0v7-5a1.5 1.5 0 0 1 3 0v8c0 4-2 7-6 7s-5-3-7-7c-1-2 1-3 2-2z",
  minus: "M5 12h14",
  next: "M9 5l7 7-7 7",
  question: "M9 9a3 3 0 1 1 4 3c-1 .5-1 1-1 2M12 17.5v.1",
  redo: "M19 8h-9a5 5 0 0 0 0 10h3M19 8l-4-4M19 8l-4 4",
  remove: "M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13",
  restore: "M4 20L15 9M13 4l1 2 2 1-2 1-1 2-1-2-2-1 2-1zM19 12l.7 1.3 1.3.7-1.3.7-.7 1.3-.7-1.3-1.3-.7 1.3-.7z",
  save: "M12 4v10M8 11l4 4 4-4M5 19h14",
  sliders: "M4 7h10M18 7h2M4 17h4M12 17h8M16 5v4M10 15v4",
  stop: "M7 7h10v10H7z",
  undo: "M5 8h9a5 5 0 0 1 0 10h-3M5 8l4-4M5 8l4 4",
};

/** Return an icon as an element that screen readers pass over. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon");
  const path = document.createElementNS(svg.namespaceURI, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
