// Numbers in rows.

import { el, fresh } from "./dom.js";

/** Names and what they are. */
export function facts(pairs) {
  return el("dl", { class: "pairs" }, ...pairs.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, String(value)))));
}

/** Scrolls by itself where it is wider than the screen, by keyboard, too. `label`: where its title is above it. */
export function table(title, heads, rows, label = "") {
  const id = fresh("table");
  return el(
    "div",
    { class: "scroll", tabindex: 0, role: "region", ...(label ? { "aria-label": label } : { "aria-labelledby": id }) },
    el(
      "table",
      {},
      title && el("caption", { id }, title),
      el("thead", {}, el("tr", {}, ...heads.map((head) => (head ? el("th", { scope: "col" }, head) : el("td"))))),
      el("tbody", {}, ...rows.map((cells) => el("tr", {}, ...cells.map((cell, index) => (index ? el("td", {}, of(cell)) : el("th", { scope: "row" }, of(cell))))))),
    ),
  );
}

const of = (cell) => (cell instanceof Node ? cell : String(cell));
