// Sentences beside what they are about.

import { Problem } from "./api.js";
import { el, fresh, say } from "./dom.js";

/** What went wrong. */
export function notice(text) {
  return el("p", { class: "notice", role: "alert" }, text);
}

/** For `watch`: shows in `place` what goes wrong, until it does not any more. */
export const telling = (place) => (problem) => place.replaceChildren(...(problem ? [notice(problem.message)] : []));

/** A place for what goes wrong with `form`: beside the fields that the problem names, else at its end. */
export class Told {
  element = el("div", { class: "told", role: "alert" });
  #form;

  constructor(form) {
    this.#form = form;
  }

  clear() {
    this.element.replaceChildren();
    for (const field of this.#form.querySelectorAll("[aria-invalid]")) {
      field.removeAttribute("aria-invalid");
      const beside = field.closest(".field")?.querySelector(".wrong");
      if (beside) say(beside, "");
    }
  }

  /** `move`: to the first field that is wrong. */
  show(error, { move = true } = {}) {
    this.clear();
    if (!Problem.is(error)) throw error;
    if (error.status === 401 && !("door" in this.#form.dataset)) dispatchEvent(new Event("session-ended"));
    let first = null;
    const rest = [];
    for (const part of error.sentence.split("; ")) {
      const [, name, text] = part.match(/^(?:parameters\.)?([\w-]+): (.+)$/s) ?? [];
      const field = name && this.#form.elements.namedItem(name);
      const beside = field instanceof Element && field.closest(".field")?.querySelector(".wrong");
      if (!beside) {
        rest.push(part);
        continue;
      }
      field.setAttribute("aria-invalid", "true");
      say(beside, sentence(text));
      field.closest("details")?.setAttribute("open", "");
      first ??= field;
    }
    if (rest.length) this.element.append(el("p", { class: "notice" }, sentence(rest.join("; "))));
    if (move) first?.focus();
  }
}

export const sentence = (text) => text[0].toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");

/** A labelled control with what explains it, and room for what is wrong with it. */
export function field(label, control, { hint = "", unit = "" } = {}) {
  const id = (control.id ||= fresh(control.name || "field"));
  const wrong = el("p", { class: "wrong", id: `${id}-wrong` });
  control.setAttribute("aria-describedby", [hint && `${id}-hint`, wrong.id].filter(Boolean).join(" "));
  return el(
    "div",
    { class: control.type === "checkbox" ? "field check" : "field" },
    el("label", { for: id }, label, unit && el("span", { class: "unit" }, ` ${unit}`)),
    control,
    hint && el("p", { class: "hint", id: `${id}-hint` }, hint),
    wrong,
  );
}

/** Runs `act` while the form's button is off; what goes wrong is told by `told`. */
export async function submitted(form, told, act) {
  const button = form.querySelector("[type=submit]");
  if (button.getAttribute("aria-disabled")) return;
  told.clear();
  button.setAttribute("aria-disabled", "true");
  try {
    await act();
  } catch (error) {
    told.show(error);
  } finally {
    button.removeAttribute("aria-disabled");
  }
}
