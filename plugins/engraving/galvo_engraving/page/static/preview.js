// The panels of a box, drawn anew while somebody changes its measures.

import { ask, Problem } from "./api.js";
import { el, say } from "./dom.js";
import { mm, number, took } from "./format.js";

const PAUSE = 120;

export class Preview {
  #picture = el("img", { alt: "", hidden: true });
  #facts = el("span", { role: "status" });
  #took = el("span", { class: "took" });
  element = el(
    "figure",
    { class: "preview", "aria-busy": "true" },
    el("div", { class: "sheet" }, this.#picture),
    el("figcaption", {}, this.#facts, this.#took, el("ul", { class: "legend", "aria-label": "Colours" }, ...["cut", "score", "engrave"].map((name) => el("li", { class: name }, name)))),
  );
  #path = null;
  #etag = null;
  #asked = new AbortController();
  #timer = 0;
  #name;
  #wrong;
  #right;

  /** `wrong(problem)` is told why there is no picture, `right()` that there is one. */
  constructor(name, { wrong, right, signal }) {
    this.#name = name;
    this.#wrong = wrong;
    this.#right = right;
    signal.addEventListener("abort", () => {
      clearTimeout(this.#timer);
      this.#asked.abort();
      URL.revokeObjectURL(this.#picture.src);
    });
  }

  /** Draw what is at `path`, once nobody has asked for something else for a moment. */
  show(path) {
    this.#path = path;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#draw(), this.#etag ? PAUSE : 0);
  }

  async #draw() {
    this.#asked.abort();
    this.#asked = new AbortController();
    const { signal } = this.#asked;
    const began = performance.now();
    this.element.setAttribute("aria-busy", "true");
    try {
      const response = await ask(this.#path, { signal });
      const text = await response.text();
      if (signal.aborted) return;
      await this.#draws(text, response.headers.get("etag"));
      say(this.#took, `in ${took(performance.now() - began)}`);
      this.#right();
    } catch (error) {
      if (signal.aborted) return;
      if (!Problem.is(error)) throw error;
      this.element.classList.add("old");
      say(this.#took, "");
      if (error.status) this.#wrong(error);
      else say(this.#facts, error.message);
    } finally {
      if (!signal.aborted) this.element.removeAttribute("aria-busy");
    }
  }

  /** As a picture: nothing in it can run, whoever has written it. */
  async #draws(text, etag) {
    this.element.classList.remove("old");
    const before = this.#picture.src;
    this.#picture.src = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
    if (before) URL.revokeObjectURL(before);
    const parts = new Set([...text.matchAll(/data-part="([^"]*)"/g)].map(([, name]) => name)).size;
    const [, width, height] = text.match(/<svg[^>]*?\swidth="([\d.]+)mm"[^>]*?\sheight="([\d.]+)mm"/) ?? [];
    const size = width ? ` on ${number(width, 0)} × ${mm(Math.round(height))}` : "";
    const facts = parts ? `${parts} parts${size}` : `Panels${size}`;
    this.#picture.alt = `Cutting plan of ${this.#name}: ${facts}`;
    this.#picture.hidden = false;
    this.#etag = etag ?? "drawn";
    say(this.#facts, facts);
  }
}
