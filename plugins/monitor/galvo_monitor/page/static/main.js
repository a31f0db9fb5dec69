// The page: each view that comes is shown in all its parts.

import { ranges, theme } from "./controls.js";
import { byId, Keyed, say } from "./dom.js";
import { Live } from "./live.js";
import { Panel } from "./panels.js";
import { admitted, enter } from "./session.js";
import { Tile } from "./tiles.js";
import { span } from "./units.js";
import { showVerdict } from "./verdict.js";

const panels = new Keyed(byId("panels"), (panel) => new Panel(panel));
const tiles = new Keyed(byId("tiles"), (panel) => new Tile(panel));
let view = null;
let range = 0;

function show(next) {
  view = next;
  showVerdict(view);
  const several = view.processes > 1 ? ` · ${view.processes} processes` : "";
  say(byId("program"), `process ${view.pid} · up ${span(view.at - view.started)}${several}`);
  tiles.update(view.panels, (panel) => panel.name);
  panels.update(view.panels, (panel) => panel.name);
  for (const panel of panels) panel.tick(view.at, times());
  drawTiles();
}

function times() {
  const marks = view.alerts.filter(({ state }) => state === "firing").map(({ since, severity }) => ({ at: since, severity }));
  return { now: view.at, range, marks };
}

function firstCharts() {
  return new Map([...panels].map((panel) => [panel.element.id.slice("panel-".length), [...panel.charts][0]]));
}

function drawTiles() {
  const charts = firstCharts();
  for (const tile of tiles) if (charts.get(tile.name)) tile.draw(charts.get(tile.name).lines, times());
}

/** Tiles show the past of charts that are out of sight, too. */
async function pastOfTiles() {
  if (!view) return;
  await Promise.all([...firstCharts().values()].filter(Boolean).map((chart) => chart.ask()));
  for (const panel of panels) panel.show();
  drawTiles();
}

theme();
range = ranges((seconds) => {
  range = seconds;
  if (!view) return;
  for (const panel of panels) panel.tick(view.at, times());
  pastOfTiles();
});
byId("tiles").addEventListener("click", (event) => {
  const tile = event.target.closest("a");
  if (tile) byId(`title-${tile.hash.slice("#panel-".length)}`)?.focus({ preventScroll: true });
});
addEventListener("past", drawTiles);
document.addEventListener("visibilitychange", () => {
  for (const panel of panels) panel.show();
  if (view) drawTiles();
});
await enter();
let first = true;
new Live((next) => {
  show(next);
  if (!first) return;
  first = false;
  pastOfTiles();
  admitted();
}).connect();
