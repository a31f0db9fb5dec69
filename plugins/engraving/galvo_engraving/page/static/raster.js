// Asks for a picture's dots, and shows how far they are, line by line.

import { ask, Problem, told } from "./api.js";
import { el, say } from "./dom.js";
import { number, took } from "./format.js";
import { notice } from "./notices.js";

const ENDED = new Set(["done", "failed", "cancelled"]);
const AGAIN = 1000;

export class Raster {
  #bar = el("progress", { max: 1, "aria-label": "Lines that are done" });
  #state = el("p", { role: "status" });
  #cancel = el("button", { type: "button", class: "quiet", onclick: () => this.#stop() }, "Cancel");
  #running = el("div", { class: "running", hidden: true }, this.#bar, this.#cancel);
  #picture = el("img", { alt: "", hidden: true });
  #result = el("div", { class: "sheet dots", hidden: true }, this.#picture);
  #wrong = el("div", { role: "alert" });
  element = el("figure", { class: "preview raster" }, this.#result, el("figcaption", {}, this.#state), this.#running, this.#wrong);
  #name;
  #signal;
  #events = null;
  #id = null;
  #began = 0;

  constructor(name, signal) {
    this.#name = name;
    this.#signal = signal;
    say(this.#state, "Choose how wide it is burned, then make the dots.");
    signal.addEventListener("abort", () => this.#events?.close());
  }

  async make(image, asked) {
    this.#events?.close();
    this.#wrong.replaceChildren();
    this.#began = performance.now();
    const made = await told(`/images/${image}/rasters`, { method: "POST", json: asked, signal: this.#signal });
    this.#id = made.id;
    this.#show(made);
    if (!ENDED.has(made.state)) this.#follow();
  }

  /** The server tells of each step; where its stream cannot be had, it is asked now and then. */
  #follow() {
    const id = this.#id;
    const events = new EventSource(`api/rasters/${id}/events`);
    this.#events = events;
    events.addEventListener("message", ({ data }) => {
      const now = JSON.parse(data);
      if (ENDED.has(now.state)) events.close();
      if (id === this.#id) this.#show(now);
    });
    events.addEventListener("error", () => {
      if (id !== this.#id || this.#signal.aborted) return events.close();
      say(this.#state, "The server does not tell how far it is. Asking again …");
      if (events.readyState === EventSource.CLOSED) setTimeout(() => this.#look(id), AGAIN);
    });
  }

  async #look(id) {
    if (id !== this.#id || this.#signal.aborted) return;
    try {
      const now = await told(`/rasters/${id}`, { signal: this.#signal });
      this.#show(now);
      if (!ENDED.has(now.state)) setTimeout(() => this.#look(id), AGAIN);
    } catch (error) {
      if (this.#signal.aborted) return;
      if (!Problem.is(error)) throw error;
      if (error.status) this.#end(error.message);
      else setTimeout(() => this.#look(id), AGAIN);
    }
  }

  #show(raster) {
    const { state, done, total } = raster;
    this.#running.hidden = ENDED.has(state);
    this.element.dataset.state = state;
    if (state === "done") this.#dots(raster);
    else if (state === "failed") this.#end(raster.problem || "It could not be made.");
    else if (state === "cancelled") say(this.#state, "Cancelled.");
    else if (state === "running" && total) {
      this.#bar.value = done / total;
      say(this.#state, `Making the dots: ${number(done)} of ${number(total)} lines`);
    } else {
      this.#bar.removeAttribute("value");
      say(this.#state, state === "running" ? "Reading the picture" : "Waiting for a worker");
    }
  }

  #dots({ id, width, height, burned, cached }) {
    this.#picture.src = `api/rasters/${id}/dots.png`;
    this.#picture.alt = `The dots of ${this.#name}`;
    this.#picture.hidden = this.#result.hidden = false;
    const time = took(performance.now() - this.#began);
    const share = width && height ? `, ${number((100 * burned) / (width * height), 0)} % burned` : "";
    const text = `${cached ? "From the cache" : "Made"} in ${time}: ${number(width)} × ${number(height)} dots${share}`;
    say(this.#state, text);
  }

  #end(text) {
    this.#running.hidden = true;
    say(this.#state, "");
    this.#wrong.replaceChildren(notice(text.replace(/^./, (letter) => letter.toUpperCase()).replace(/([^.!?])$/, "$1.")));
  }

  async #stop() {
    try {
      await ask(`/rasters/${this.#id}`, { method: "DELETE" });
    } catch (error) {
      if (!Problem.is(error)) throw error;
      this.#end(error.message);
    }
  }
}
