// One chart's lines, as SVG. Only draws: what is drawn comes as arguments.

import { svg } from "./dom.js";
import { timeTicks, valueAxis } from "./axes.js";
import { usual } from "./past.js";
import { tick } from "./units.js";

export const COLOURS = 6;
const LEFT = 58;
const RIGHT = 10;
const TOP = 8;
const BOTTOM = 24;
const GAP = 3.5; // of the usual step: longer ones are gaps
const BANDS = 3;
const LIMITS = ["allowed", "limit", "most"]; // labels of what may be; all others are of what is
const FAR = 4; // times the highest of the others

/** Maps moments and values to pixels of a plot of `width` by `height`. */
export class Frame {
  constructor(width, height, start, end, axis) {
    Object.assign(this, { width, height, start, end, axis, left: LEFT, right: width - RIGHT, top: TOP, bottom: height - BOTTOM });
  }

  x(at) {
    return this.left + ((at - this.start) / (this.end - this.start)) * (this.right - this.left);
  }

  y(value) {
    const { low, high } = this.axis;
    return this.bottom - ((value - low) / (high - low)) * (this.bottom - this.top);
  }

  moment(x) {
    return this.start + ((x - this.left) / (this.right - this.left)) * (this.end - this.start);
  }
}

/** `all`: [{line, index, label}], `marks`: moments of alerts. Gives the frame, what to put into the SVG, and what is above it. */
export function plot(all, unit, width, height, start, end, marks) {
  const banded = all.length <= BANDS;
  const { low, high, above } = extent(all, start, banded);
  const shown = all.filter((one) => one !== above);
  const frame = new Frame(width, height, start, end, valueAxis(Math.min(0, low), high, unit));
  const parts = [grid(frame, unit), times(frame)];
  for (const { at, severity } of marks) {
    if (at > start && at < end) parts.push(svg("path", { class: `mark ${severity}`, d: `M${frame.x(at).toFixed(1)} ${frame.top}V${frame.bottom}` }));
  }
  const lines = shown.map(({ line, index }) => drawn(frame, line, index, shown.length === 1, banded));
  return { frame, above: above?.index, parts: [...parts, ...lines.reverse()] };
}

/** A limit that is far away would press all other lines flat: such a one is above the chart. */
function extent(all, start, banded) {
  const found = all.map((one) => ({ one, ...span(one.line, start, banded) })).sort((a, b) => b.high - a.high);
  const low = Math.min(0, ...found.map((each) => each.low));
  const [first, second] = found;
  const far = second?.high > 0 && LIMITS.includes(first.one.label) && first.low > FAR * second.high;
  return { low, high: Math.max(0, (far ? second : first)?.high ?? 0), above: far ? first.one : undefined };
}

function span(line, start, banded) {
  const values = banded ? line.highs : line.means;
  let [low, high] = [Infinity, -Infinity];
  for (let index = 0; index < values.length; index += 1) {
    if (line.times[index] < start || values[index] === null) continue;
    low = Math.min(low, line.means[index]);
    high = Math.max(high, values[index], line.means[index]);
  }
  return { low, high };
}

function grid(frame, unit) {
  const group = svg("g", { class: "grid" });
  for (const value of frame.axis.ticks) {
    const y = Math.round(frame.y(value)) + 0.5;
    group.append(svg("path", { class: value === 0 ? "zero" : "rule", d: `M${frame.left} ${y}H${frame.right}` }));
    group.append(svg("text", { x: frame.left - 8, y: y + 3.5, "text-anchor": "end" }, tick(value, unit)));
  }
  return group;
}

function times(frame) {
  const group = svg("g", { class: "times" });
  for (const { at, text } of timeTicks(frame.start, frame.end, Math.max(2, Math.floor((frame.right - frame.left) / 72)))) {
    const x = frame.x(at);
    group.append(svg("path", { class: "stub", d: `M${x.toFixed(1)} ${frame.bottom}v4` }));
    const last = x > frame.right - 16; // it would not fit
    group.append(svg("text", { x: (last ? frame.width : x).toFixed(1), y: frame.height - 6, "text-anchor": last ? "end" : "middle" }, text));
  }
  return group;
}

function drawn(frame, line, index, alone, banded) {
  const group = svg("g", { class: `line line-${index % COLOURS}${index >= COLOURS ? " dashed" : ""}` });
  const runs = stretches(line, frame.start);
  const path = (values) => (run) => run.map((n, i) => `${i ? "L" : "M"}${frame.x(line.times[n]).toFixed(1)} ${frame.y(values[n]).toFixed(1)}`).join("");
  const means = runs.map(path(line.means));
  if (alone) {
    const area = runs.map((run, n) => `${means[n]}V${frame.y(0).toFixed(1)}H${frame.x(line.times[run[0]]).toFixed(1)}Z`);
    group.append(svg("path", { class: "area", d: area.join("") }));
  }
  if (banded && runs.some((run) => run.some((n) => line.highs[n] > line.means[n] * 1.02))) {
    const bands = runs.map((run, n) => `${path(line.highs)(run)}${path(line.means)([...run].reverse()).replace("M", "L")}Z`);
    group.append(svg("path", { class: "band", d: bands.join("") }));
  }
  const dots = runs.map((run, n) => (run.length === 1 ? `${means[n]}h.01` : means[n]));
  group.append(svg("path", { class: "stroke", d: dots.join("") }));
  return group;
}

/** Indices of points that belong together: without gaps between them, and from just before `start` on. */
function stretches(line, start) {
  const { times, means } = line;
  const longest = GAP * Math.max(line.step, usual(times));
  const runs = [];
  let run = [];
  let before = null;
  for (let n = 0; n < times.length; n += 1) {
    if (times[n] < start) continue;
    const gap = means[n] === null || (before !== null && times[n] - before > longest);
    if (gap && run.length) {
      runs.push(run);
      run = [];
    }
    if (means[n] !== null) run.push(n);
    before = times[n];
  }
  if (run.length) runs.push(run);
  return runs;
}
