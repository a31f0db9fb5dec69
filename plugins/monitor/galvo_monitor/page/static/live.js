// The connection: views as they come, and whether they do.

import { byId, say } from "./dom.js";
import { admitted } from "./session.js";
import { clock, span } from "./units.js";

const PATIENCE = 3000; // a connection that comes back so soon was never missed
const SILENCE = 45000; // longer than any pause between two views: it is dead
const AGAIN = [500, 1000, 2000, 5000];

export class Live {
  #stream = null;
  #tries = 0;
  #last = 0; // when the last view came, by performance.now()
  #lost = null; // since when there is no connection
  #at = 0;
  #show;

  constructor(show) {
    this.#show = show;
    setInterval(() => this.#watch(), 1000);
    addEventListener("online", () => this.connect());
  }

  connect() {
    this.#stream?.close();
    this.#last = performance.now();
    const stream = new EventSource("events");
    this.#stream = stream;
    stream.addEventListener("view", (event) => this.#came(JSON.parse(event.data)));
    stream.addEventListener("error", () => this.#failed(stream));
  }

  #came(view) {
    this.#tries = 0;
    this.#lost = null;
    this.#last = performance.now();
    this.#at = view.at;
    this.#show(view);
    this.#watch();
  }

  /** The browser tries again by itself, unless it was answered with a refusal. */
  async #failed(stream) {
    this.#lost ??= performance.now();
    this.#watch();
    if (stream !== this.#stream || stream.readyState !== EventSource.CLOSED) return;
    if (!(await admitted())) return;
    const pause = AGAIN[Math.min(this.#tries++, AGAIN.length - 1)];
    await new Promise((resolve) => setTimeout(resolve, pause));
    if (stream === this.#stream) this.connect();
  }

  #watch() {
    const now = performance.now();
    if (now - this.#last > SILENCE) {
      this.#lost ??= now;
      this.connect();
    }
    const lost = this.#lost !== null && now - this.#lost > PATIENCE;
    const state = lost ? "lost" : this.#at ? "live" : "connecting";
    const place = byId("connection");
    if (place.dataset.state !== state) place.dataset.state = state;
    document.body.classList.toggle("stale", lost);
    const age = this.#at ? `, numbers are ${span((now - this.#lost) / 1000)} old` : "";
    say(byId("connection-text"), { live: `Live ${clock(this.#at)}`, lost: `Reconnecting${age}`, connecting: "Connecting" }[state]);
  }
}
