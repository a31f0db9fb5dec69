// Numbers and times as people read them.

const NARROW = "\u202f";
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });

export const number = (value, digits = 2) => Number(value).toLocaleString("en", { maximumFractionDigits: digits });
export const mm = (value) => `${number(value)}${NARROW}mm`;
export const moment = (text) => (text ? DAY.format(new Date(text)) : "–");
export const words = (name) => name.replaceAll("_", " ").replaceAll("-", " ").replace(/^./, (letter) => letter.toUpperCase());

export function took(milliseconds) {
  return milliseconds < 1000 ? `${Math.round(milliseconds)}${NARROW}ms` : `${number(milliseconds / 1000, 1)}${NARROW}s`;
}

export function span(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 90) return `${number(seconds, 0)}${NARROW}s`;
  if (seconds < 5400) return `${number(seconds / 60, 0)}${NARROW}min`;
  return `${number(seconds / 3600, 1)}${NARROW}h`;
}

export function bytes(value) {
  if (value >= 2 ** 20) return `${number(value / 2 ** 20, 1)}${NARROW}MiB`;
  return value >= 1024 ? `${number(value / 1024, 0)}${NARROW}KiB` : `${value}${NARROW}B`;
}
