// Tables: those that a panel has, and the numbers behind a chart.

import { el, say } from "./dom.js";
import { figure, moment, NONE } from "./units.js";

const ROWS = 60;
let count = 0;

const isText = (unit) => unit === "";
const text = (cell, unit) => (typeof cell === "number" ? figure(cell, unit) : (cell ?? NONE));

/** A table of a panel. */
export class Table {
  #told = "";

  constructor(table) {
    const id = `table-${(count += 1)}`;
    this.head = el("tr");
    this.body = el("tbody");
    const shown = el("table", { "aria-labelledby": id }, el("thead", {}, this.head), this.body);
    this.element = el("article", { class: "card" }, el("header", {}, el("h3", { id }, table.title)),
      el("div", { class: "rows", tabindex: 0, role: "region", "aria-labelledby": id }, shown));
  }

  update({ columns, rows }) {
    const told = JSON.stringify([columns, rows]);
    if (told === this.#told) return; // a selection in it survives
    this.#told = told;
    this.head.replaceChildren(...columns.map(([name, unit]) => el(name ? "th" : "td", { scope: name && "col", class: isText(unit) ? null : "number" }, name)));
    const cells = (row) => row.map((cell, n) => el("td", { class: isText(columns[n][1]) ? (n ? "words" : "what") : "number" }, text(cell, columns[n][1])));
    this.body.replaceChildren(...rows.map((row) => el("tr", {}, ...cells(row))));
  }
}

/** Newest first; of more than ROWS points the nearest to evenly spread moments. */
export function pastTable(place, title, values, lines, { now, range }) {
  const line = lines.reduce((most, one) => (one.times.length > most.times.length ? one : most), lines[0]);
  const times = line?.times.filter((at) => at >= now - range) ?? [];
  const every = Math.max(1, Math.ceil(times.length / ROWS));
  const picked = times.filter((_, n) => (times.length - 1 - n) % every === 0).reverse();
  if (!place.firstChild) {
    place.append(el("table", { "aria-label": title }, el("thead", {}, el("tr")), el("tbody")));
  }
  const [head, body] = [place.querySelector("thead tr"), place.querySelector("tbody")];
  const names = ["Time", ...values.map(({ label }) => label)];
  if (head.children.length !== names.length) head.replaceChildren(...names.map((_, n) => el("th", { scope: "col", class: n ? "number" : null })));
  names.forEach((name, n) => say(head.children[n], name));
  body.replaceChildren(...picked.map((at) => el("tr", {}, el("th", { scope: "row" }, moment(at, range)),
    ...values.map(({ unit }, n) => el("td", { class: "number" }, figure(lines[n].at(at, Math.max(lines[n].step, range * 0.01)), unit))))));
}
