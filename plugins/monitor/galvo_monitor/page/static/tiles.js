// The overview: each part's first number, how it went, and the way to it.

import { el, say, svg } from "./dom.js";
import { figure } from "./units.js";

const POINTS = 60;
const WIDTH = 120;
const HEIGHT = 28;

export class Tile {
  #panel = null;

  constructor(panel) {
    this.name = panel.name;
    this.title = el("span", { class: "title" });
    this.value = el("span", { class: "value" });
    this.label = el("span", { class: "label" });
    this.area = svg("path", { class: "area" });
    this.stroke = svg("path", { class: "stroke" });
    this.element = el("a", { class: "tile", href: `#panel-${panel.name}` }, this.title, el("span", { class: "headline" }, this.value, " ", this.label),
      svg("svg", { class: "line-0", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" }, this.area, this.stroke));
  }

  update(panel) {
    this.#panel = panel;
    say(this.title, panel.title);
    const chart = panel.charts[0];
    const head = chart && headline(chart.values);
    say(this.value, head ? figure(head.now, head.unit) : `${panel.tables[0]?.rows.length ?? 0}`);
    say(this.label, head ? head.label : (panel.tables[0]?.title ?? ""));
  }

  /** `lines`: of the first chart. */
  draw(lines, { now, range }) {
    const values = this.#panel?.charts[0]?.values;
    if (!values) return;
    const { series } = headline(values);
    const used = lines.filter((line) => series.includes(line.series));
    const sums = Array.from({ length: POINTS + 1 }, (_, n) => {
      const found = used.map((line) => line.at(now - range + (n * range) / POINTS, range / 30)).filter((value) => value !== null);
      return found.length ? found.reduce((sum, value) => sum + value, 0) : null;
    });
    const top = Math.max(...sums.filter((sum) => sum !== null), 1e-9);
    const points = sums.map((sum, n) => (sum === null ? null : `${((n * WIDTH) / POINTS).toFixed(1)} ${(HEIGHT - 2 - (Math.max(0, sum) / top) * (HEIGHT - 4)).toFixed(1)}`));
    const runs = points.reduce((all, point) => (point ? all.at(-1).push(point) : all.push([])) && all, [[]]).filter((run) => run.length);
    this.stroke.setAttribute("d", runs.map((run) => `M${run.join("L")}`).join(""));
    this.area.setAttribute("d", runs.map((run) => `M${run.join("L")}V${HEIGHT}H${run[0].split(" ")[0]}Z`).join(""));
  }
}

/** Rates are added up; of times the 95 or 99 % tells most; else the first. */
function headline(values) {
  const [first] = values;
  if (first.unit.includes("/")) {
    const added = values.filter(({ unit }) => unit === first.unit);
    const known = added.filter(({ now }) => now !== null);
    return { now: known.length ? known.reduce((sum, { now }) => sum + now, 0) : null, unit: first.unit, label: "", series: added.map(({ series }) => series) };
  }
  const told = values.find(({ label, unit }) => unit === "s" && /^9\d/.test(label)) ?? first;
  return { ...told, series: [told.series] };
}
