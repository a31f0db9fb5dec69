// A long list, a page at a time, that stays as the server has it.

import { Problem, query, told } from "./api.js";
import { announce, el, say } from "./dom.js";
import { telling } from "./notices.js";
import { watch } from "./watch.js";

const PAUSE = 150;

/** `path`, and how one entry looks: `draw(entry)` gives an <li>. */
export class Listing {
  element = el("div", { class: "listing" });
  #path;
  #draw;
  #empty;
  #list;
  #more = el("button", { type: "button", class: "quiet more", hidden: true, onclick: () => this.#next() }, "Show more");
  #wrong = el("div");
  #signal;
  #asked = new AbortController();
  #values = {};
  #after = null;
  #timer = 0;

  constructor(path, draw, { empty, kind = "cards", signal }) {
    this.#path = path;
    this.#draw = draw;
    this.#empty = empty;
    this.#signal = signal;
    this.#list = el("ul", { class: kind });
    this.element.append(this.#list, this.#wrong, this.#more);
    signal.addEventListener("abort", () => this.#asked.abort());
  }

  /** While somebody types: a little later. */
  soon(values) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.show(values), PAUSE);
  }

  /** Those for which `values` hold. Resolves when they are there. */
  show(values) {
    clearTimeout(this.#timer);
    this.#asked.abort();
    if (this.#signal.aborted) return undefined;
    this.#asked = new AbortController();
    this.#values = values;
    let first = true;
    return watch(
      `${this.#path}${query(values)}`,
      (page) => {
        this.#wrong.replaceChildren();
        this.#fill(page.entries);
        this.#to(page.next);
        if (!page.entries.length) this.#wrong.append(el("p", { class: "empty" }, this.#empty(values)));
        if (!first || Object.values(values).some(Boolean)) announce(page.entries.length ? `${page.entries.length}${page.next ? " and more" : ""} found` : this.#empty(values));
        first = false;
      },
      telling(this.#wrong),
      this.#asked.signal,
    );
  }

  /** Whoever is at one of them stays there. */
  #fill(entries) {
    const at = this.#list.contains(document.activeElement) && document.activeElement.getAttribute("href");
    this.#list.replaceChildren(...entries.map(this.#draw));
    if (at) this.#list.querySelector(`a[href="${CSS.escape(at)}"]`)?.focus();
  }

  async #next() {
    const asked = this.#asked;
    try {
      const page = await told(`${this.#path}${query({ ...this.#values, after: this.#after })}`, { signal: asked.signal });
      const made = page.entries.map(this.#draw);
      this.#list.append(...made);
      made[0]?.querySelector("a, button")?.focus();
      this.#to(page.next);
    } catch (error) {
      if (!asked.signal.aborted) this.#fail(error);
    }
  }

  #to(next) {
    this.#after = next;
    this.#more.hidden = !next;
  }

  #fail(error) {
    if (!Problem.is(error)) throw error;
    if (error.status === 401) dispatchEvent(new Event("session-ended"));
    telling(this.#wrong)(error);
  }
}

/** Radio buttons as a row of choices. `choices`: value, text, and how many there are. */
export function chips(legend, name, choices, chosen, changed) {
  const set = el("fieldset", { class: "chips" }, el("legend", { class: "unseen" }, legend));
  for (const [value, text, count] of choices) {
    const id = `${name}-${value || "all"}`;
    const input = el("input", { type: "radio", name, id, onchange: () => changed(value) });
    input.value = value;
    input.checked = value === chosen;
    const much = el("span", { class: "count" });
    say(much, count === undefined ? "" : String(count));
    set.append(input, el("label", { for: id }, text, " ", much));
  }
  return set;
}

/** Writes what was chosen into the address, so that it can be sent to others, and is there after going back. */
export function remember(path, values) {
  history.replaceState(null, "", `#${path}${query(values)}`);
}
