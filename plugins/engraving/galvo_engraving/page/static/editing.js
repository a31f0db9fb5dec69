// A small form that opens in place: for staff, and for names.

import { el } from "./dom.js";
import { words } from "./format.js";
import { field, submitted, Told } from "./notices.js";

/** `values()` are those of now, by name; `save(values)` gets those that differ, as what they were (text or number).
 *
 * `shut()`: afterwards, in place of going back to the button.
 */
export function editing(label, values, save, { labels = {}, shut: after } = {}) {
  const place = el("div", { class: "editing" });
  const open = el("button", { type: "button", class: "quiet", onclick: edit }, label);
  place.append(open);

  function edit() {
    const before = values();
    const form = el("form", { class: "card fields", "aria-label": label }, el("p", { class: "title" }, label));
    const wrong = new Told(form);
    for (const [name, value] of Object.entries(before)) {
      const input = typeof value === "number" ? el("input", { name, type: "number", step: "any", required: true }) : el("input", { name, required: true, maxlength: 2000 });
      input.value = value;
      form.append(field(labels[name] ?? words(name), input));
    }
    form.append(wrong.element, el("div", { class: "actions" }, el("button", { type: "submit" }, "Save"), el("button", { type: "button", class: "quiet", onclick: shut }, "Cancel")));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      submitted(form, wrong, async () => {
        const typed = [...new FormData(form)].map(([name, text]) => [name, typeof before[name] === "number" ? Number(text) : text]);
        const differing = Object.fromEntries(typed.filter(([name, value]) => value !== before[name]));
        if (Object.keys(differing).length) await save(differing);
        shut();
      });
    });
    form.addEventListener("keydown", (event) => event.key === "Escape" && shut());
    place.replaceChildren(form);
    form.querySelector("input").focus();
  }

  function shut() {
    place.replaceChildren(open);
    if (after) after();
    else open.focus();
  }

  return place;
}
