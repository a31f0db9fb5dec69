// The parts of the system, each with its charts and tables.

import { Chart } from "./chart.js";
import { el, Keyed, say } from "./dom.js";
import { Table } from "./tables.js";

/** Lines in different units have no axis in common: each unit gets a chart. */
function byUnit(chart) {
  const units = [...new Set(chart.values.map(({ unit }) => unit))];
  if (units.length < 2) return [chart];
  return units.map((unit) => {
    const values = chart.values.filter((value) => value.unit === unit);
    return { title: `${chart.title}: ${values.map(({ label }) => label).join(", ")}`, values };
  });
}

export class Panel {
  constructor(panel) {
    this.heading = el("h2", { id: `title-${panel.name}`, tabindex: -1 });
    const charts = el("div", { class: "charts" });
    const tables = el("div", { class: "tables" });
    this.charts = new Keyed(charts, (chart) => new Chart(chart));
    this.tables = new Keyed(tables, (table) => new Table(table));
    this.element = el("section", { class: "panel", id: `panel-${panel.name}`, "aria-labelledby": this.heading.id }, this.heading, charts, tables);
  }

  update({ title, charts, tables }) {
    say(this.heading, title);
    this.charts.update(charts.flatMap(byUnit), (chart) => chart.title);
    this.tables.update(tables, (table) => table.title);
  }

  tick(at, times) {
    for (const chart of this.charts) chart.tick(at, times);
  }

  show() {
    for (const chart of this.charts) chart.show();
  }

  end() {
    for (const chart of this.charts) chart.end();
  }
}
