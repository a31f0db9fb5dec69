// One chart: its title, its legend with values, its plot with a cursor, and the numbers as a table.

import { cursor } from "./cursor.js";
import { el, Keyed, say, svg } from "./dom.js";
import { Line, load } from "./past.js";
import { COLOURS, plot } from "./plot.js";
import { pastTable } from "./tables.js";
import { figure, moment, NONE } from "./units.js";

const HEIGHT = 164;
const KEYS = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 };
const AGAIN = { short: 60, long: 300 }; // seconds until the server is asked once more
let count = 0;

export class Chart {
  #values = [];
  #lines = new Map();
  #hidden = new Set();
  #times = { now: 0, range: 900, marks: [] };
  #asked = { range: 0, at: -Infinity };
  #visible = false;
  #width = 0;
  #frame = null;

  constructor(chart) {
    const id = `chart-${(count += 1)}`;
    this.title = chart.title;
    this.svg = svg("svg", { "aria-hidden": "true", height: HEIGHT });
    this.drawing = svg("g");
    this.over = svg("g", { class: "cursor" });
    this.svg.append(this.drawing, this.over);
    this.plot = el("div", { class: "plot", role: "slider", tabindex: 0, "aria-label": `${chart.title}, over time`, "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": 100, "aria-valuetext": "now" }, this.svg);
    this.nothing = el("p", { class: "nothing", hidden: true }, "No data in this time range");
    this.when = el("span", { class: "when" });
    this.legend = el("ul", { class: "legend" });
    this.entries = new Keyed(this.legend, (value) => this.#entry(value));
    this.table = el("div", { class: "rows", tabindex: 0, role: "region", "aria-label": `${chart.title}: numbers` });
    this.details = el("details", {}, el("summary", {}, "Numbers", el("span", { class: "unseen" }, ` of ${chart.title}`)), this.table);
    this.element = el("article", { class: "card chart", "aria-labelledby": id },
      el("header", {}, el("h3", { id }, chart.title), this.when), this.legend, el("div", { class: "stage" }, this.plot, this.nothing), this.details);
    this.#listen();
  }

  get lines() {
    return this.#values.map((value) => this.#lines.get(value.series));
  }

  update(chart) {
    this.#values = chart.values;
    for (const { series } of chart.values) if (!this.#lines.has(series)) this.#lines.set(series, new Line(series));
  }

  /** `at`: of the values; `now`: the right edge. */
  tick(at, times) {
    this.#times = times;
    for (const value of this.#values) this.#lines.get(value.series).add(at, value.now);
    this.entries.update(this.#values.map((value, index) => ({ ...value, index })), (value) => value.series);
    this.show();
  }

  /** Draws when it can be seen. */
  show() {
    if (!this.#visible || !this.#width || !this.#times.now || document.hidden) return;
    this.#ask();
    this.#draw();
    this.#point();
    if (this.details.open) this.#fill();
  }

  /** The past is asked for when it is first seen, when the range changes, and now and then. */
  async ask() {
    const { now, range } = this.#times;
    this.#asked = { range, at: now };
    if (!(await load(this.lines, now, range))) this.#asked.at = now - AGAIN.short + 5;
  }

  async #ask() {
    const { now, range } = this.#times;
    const age = Math.abs(now - this.#asked.at);
    if (range === this.#asked.range && age < (range <= 6 * 3600 ? AGAIN.short : AGAIN.long)) return;
    await this.ask();
    this.#draw();
    this.#point();
    this.element.dispatchEvent(new CustomEvent("past", { bubbles: true }));
  }

  end() {
    this.unlisten();
    this.seen.disconnect();
    this.sized.disconnect();
  }

  #entry(value) {
    const figures = el("span", { class: "figure" });
    const swatch = svg("svg", { class: `swatch line-${value.index % COLOURS}${value.index >= COLOURS ? " dashed" : ""}`, viewBox: "0 0 16 8", "aria-hidden": "true" }, svg("path", { class: "stroke", d: "M1 4H15" }));
    const label = el("span", { class: "label" }, value.label);
    const above = el("span", { class: "above" });
    const button = el("button", { type: "button", "aria-pressed": "true" }, swatch, label, figures, above);
    button.addEventListener("click", () => {
      const hide = !this.#hidden.delete(value.series);
      if (hide) this.#hidden.add(value.series);
      button.setAttribute("aria-pressed", String(!hide));
      this.show();
    });
    return { element: el("li", {}, button), series: value.series, figures, above, update: ({ label: text }) => say(label, text) };
  }

  #listen() {
    this.unlisten = cursor.listen(() => this.#visible && this.#frame && this.#point());
    this.seen = new IntersectionObserver(([entry]) => {
      this.#visible = entry.isIntersecting;
      this.show();
    }, { rootMargin: "200px" });
    this.seen.observe(this.element);
    this.sized = new ResizeObserver(([entry]) => {
      this.#width = Math.floor(entry.contentRect.width);
      this.show();
    });
    this.sized.observe(this.plot);
    this.plot.addEventListener("pointermove", (event) => {
      if (!this.#frame) return;
      const at = this.#frame.moment(event.clientX - this.svg.getBoundingClientRect().left);
      cursor.moment = Math.min(Math.max(at, this.#frame.start), this.#frame.end);
    });
    this.plot.addEventListener("pointerleave", () => (cursor.moment = null));
    this.plot.addEventListener("blur", () => (cursor.moment = null));
    this.plot.addEventListener("focus", () => this.#spoken());
    this.plot.addEventListener("keydown", (event) => this.#key(event));
    this.details.addEventListener("toggle", () => this.details.open && this.#fill());
  }

  #key(event) {
    const line = this.lines.find(({ times }) => times.length);
    if (!line || !this.#frame || event.ctrlKey || event.metaKey || event.altKey) return;
    const first = Math.max(0, line.times.findIndex((at) => at >= this.#frame.start));
    const last = line.times.length - 1;
    const here = cursor.moment === null ? last : line.nearest(cursor.moment, Infinity);
    let index;
    if (event.key in KEYS) index = here + KEYS[event.key];
    else if (event.key === "Home") index = first;
    else if (event.key === "End") index = last;
    else if (event.key !== "Escape") return;
    event.preventDefault();
    cursor.moment = index === undefined ? null : line.times[Math.min(Math.max(index, first), last)];
    this.#spoken();
  }

  /** What a screen reader says of the moment. */
  #spoken() {
    const { now, range } = this.#times;
    const said = this.#values.map((value) => `${value.label} ${figure(this.#at(value), value.unit)}`).join(", ");
    const when = cursor.moment === null ? "now" : moment(cursor.moment, range);
    this.plot.setAttribute("aria-valuenow", Math.round(100 * (1 - (now - (cursor.moment ?? now)) / range)));
    this.plot.setAttribute("aria-valuetext", `${when}: ${said}`);
  }

  #at(value) {
    const line = this.#lines.get(value.series);
    return cursor.moment === null ? value.now : line.at(cursor.moment, line.reach(this.#times.range));
  }

  #draw() {
    const { now, range, marks } = this.#times;
    const shown = this.#values.map(({ series, label }, index) => ({ line: this.#lines.get(series), index, label })).filter(({ line }) => !this.#hidden.has(line.series));
    const { frame, parts, above } = plot(shown, this.#values[0]?.unit ?? "1", this.#width, HEIGHT, now - range, now, marks);
    this.#frame = frame;
    this.svg.setAttribute("width", this.#width);
    this.drawing.replaceChildren(...parts);
    const far = this.#values[above]?.series;
    for (const entry of this.entries) say(entry.above, entry.series === far ? "(above)" : "");
    this.nothing.hidden = shown.some(({ line }) => line.means.some((mean, n) => mean !== null && line.times[n] >= frame.start));
  }

  /** The cursor, and the values at it. */
  #point() {
    const at = cursor.moment;
    const figures = new Map(this.#values.map((value) => [value.series, value]));
    for (const entry of this.entries) {
      const value = figures.get(entry.series);
      say(entry.figures, value ? figure(this.#at(value), value.unit) : NONE);
    }
    say(this.when, at === null ? "" : moment(at, this.#times.range));
    this.over.replaceChildren();
    const frame = this.#frame;
    if (at === null || at < frame.start || at > frame.end) return;
    const x = frame.x(at).toFixed(1);
    this.over.append(svg("path", { class: "hair", d: `M${x} ${frame.top}V${frame.bottom}` }));
    this.#values.forEach((value, index) => {
      const line = this.#lines.get(value.series);
      const n = this.#hidden.has(value.series) ? -1 : line.nearest(at, line.reach(this.#times.range));
      if (n < 0 || line.means[n] === null) return;
      this.over.append(svg("circle", { class: `line-${index % COLOURS}`, cx: frame.x(line.times[n]).toFixed(1), cy: frame.y(line.means[n]).toFixed(1), r: 3.5 }));
    });
  }

  #fill() {
    pastTable(this.table, this.title, this.#values, this.lines, this.#times);
  }
}
