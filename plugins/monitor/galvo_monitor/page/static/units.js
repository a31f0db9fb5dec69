// Numbers in units (UCUM), and times, as people read them. The same as `galvo top` shows.

export const NONE = "–";
// Least value, size and name of each unit.
const TIMES = [[1, 1, "s"], [1e-3, 1e-3, "ms"], [1e-6, 1e-6, "µs"], [0, 1e-9, "ns"]];
const SIZES = [[2 ** 40, "TiB"], [2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]].map(([size, name]) => [size, size, name]).concat([[0, 1, "B"]]);
const COUNTS = [[1e12, 1e12, "T"], [1e9, 1e9, "G"], [1e6, 1e6, "M"], [1e4, 1e3, "k"], [0, 1, ""]];
const SPANS = [[86400, "d"], [3600, "h"], [60, "min"]];
const NARROW = "\u202f";

/** 0.0012 "s" is "1.20 ms", 0.5 "1" is "50 %", 1234 "{query}/s" is "1,234/s". */
export function figure(value, unit) {
  return scaled(value, unit, rounded);
}

/** The same for an axis: no more digits than are needed. */
export function tick(value, unit) {
  return value === 0 ? "0" : scaled(value, unit, (number) => `${Number(number.toPrecision(4)).toLocaleString("en")}`);
}

function scaled(value, unit, digits) {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const [what, per] = unit.split("/", 2);
  const each = per === undefined ? "" : `/${per}`;
  if (what === "s" && !each) return seconds(value, digits);
  if (what === "By") return scale(value, SIZES, digits) + each;
  if (unit === "1" || unit === "%") return `${digits(unit === "1" ? value * 100 : value)}${NARROW}%`;
  const noun = what && !"{1".includes(what[0]) ? `${NARROW}${what}` : "";
  return scale(value, COUNTS, digits) + noun + each;
}

function seconds(value, digits) {
  if (Math.abs(value) >= 120) return (value < 0 ? "-" : "") + span(Math.abs(value));
  if (value === 0) return `0${NARROW}s`;
  return scale(value, TIMES, digits);
}

function scale(value, scales, digits) {
  const [, size, name] = scales.find(([least]) => Math.abs(value) >= least);
  return digits(value / size) + (name ? `${NARROW}${name}` : "");
}

/** Three digits, or all of a larger whole. */
function rounded(value) {
  const size = Math.abs(value);
  if (size >= 100 || Number.isInteger(value)) return Math.round(value).toLocaleString("en");
  if (size >= 10) return value.toFixed(1);
  return size >= 0.01 ? value.toFixed(2) : value.toPrecision(1);
}

/** How long, in the unit that suits it. */
export function span(seconds) {
  for (const [size, name] of SPANS) {
    if (seconds >= 2 * size) return `${Math.round(seconds / size)}${NARROW}${name}`;
  }
  return `${Math.round(Math.max(0, seconds))}${NARROW}s`;
}

const format = (options) => new Intl.DateTimeFormat("en-GB", { hourCycle: "h23", ...options });
const SECOND = format({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const MINUTE = format({ hour: "2-digit", minute: "2-digit" });
const DAY = format({ day: "numeric", month: "short" });
const WEEKDAY = format({ weekday: "short", day: "numeric" });

export const clock = (at) => SECOND.format(at * 1000);

/** A moment, as exact as a chart over `range` seconds shows it. */
export function moment(at, range) {
  if (range <= 3600) return SECOND.format(at * 1000);
  return range <= 86400 ? MINUTE.format(at * 1000) : `${DAY.format(at * 1000)}, ${MINUTE.format(at * 1000)}`;
}

/** When something began, seen from `now`: "18:02", or "27 Nov, 18:02". */
export const since = (at, now) => (now - at < 12 * 3600 ? MINUTE.format(at * 1000) : moment(at, Infinity));

export function dayTick(at, range) {
  return range <= 8 * 86400 ? WEEKDAY.format(at * 1000) : DAY.format(at * 1000);
}

export const minuteTick = (at) => MINUTE.format(at * 1000);
