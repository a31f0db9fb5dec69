// Where the ticks of an axis are.

import { dayTick, minuteTick } from "./units.js";

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;
const TIMES = [1, 2, 5, 10, 15, 30].map((n) => n * MINUTE).concat([1, 2, 3, 4, 6, 12].map((n) => n * HOUR), [1, 2, 7, 14, 30].map((n) => n * DAY));
const SPANS = [1, 2, 5, 10, 15, 30].map((n) => n * MINUTE).concat([1, 2, 3, 6, 12].map((n) => n * HOUR), [1, 2, 7, 14, 30, 90].map((n) => n * DAY));

/** Top of the axis and its ticks for values between `low` (at most 0) and `high`. */
export function valueAxis(low, high, unit) {
  if (unit === "1" && low >= 0 && high > 0.4 && high <= 1) return { low: 0, high: 1, ticks: [0, 0.25, 0.5, 0.75, 1] };
  const top = Math.max(high, low + smallest(unit));
  const step = valueStep(top - low, unit);
  const bottom = Math.floor(low / step + 1e-9) * step;
  const count = Math.max(1, Math.ceil((top - bottom) / step - 1e-9));
  const ticks = Array.from({ length: count + 1 }, (_, index) => bottom + index * step);
  return { low: bottom, high: ticks.at(-1), ticks };
}

/** So that a line of zeros does not seem to be something. */
function smallest(unit) {
  if (unit === "s") return 1e-6;
  if (unit === "By") return 1024;
  return unit === "1" ? 0.01 : 1;
}

function valueStep(height, unit) {
  const rough = height / 5;
  if (unit === "By") return 2 ** Math.ceil(Math.log2(rough) - 1e-9);
  if (unit === "s" && height >= 120) return SPANS.find((step) => step >= rough) ?? rough;
  const power = 10 ** Math.floor(Math.log10(rough) + 1e-9);
  const whole = unit.startsWith("{") && !unit.includes("/");
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough * 0.999);
  return whole ? Math.max(1, step) : step;
}

/** Moments and their texts, at most `most`, at round local times. */
export function timeTicks(start, end, most) {
  const step = TIMES.find((step) => (end - start) / step <= most) ?? 30 * DAY;
  const ticks = [];
  if (step >= DAY) {
    const day = new Date(start * 1000);
    day.setHours(24, 0, 0, 0);
    const days = Math.round(step / DAY);
    for (; day / 1000 <= end; day.setDate(day.getDate() + 1)) {
      if (Math.round((day / 1000 - 60 * day.getTimezoneOffset()) / DAY) % days === 0) {
        ticks.push({ at: day / 1000, text: dayTick(day / 1000, end - start) });
      }
    }
    return ticks;
  }
  const offset = -60 * new Date(end * 1000).getTimezoneOffset();
  for (let at = Math.ceil((start + offset) / step) * step - offset; at <= end; at += step) {
    const midnight = new Date(at * 1000).getHours() === 0 && new Date(at * 1000).getMinutes() === 0;
    ticks.push({ at, text: midnight && end - start > 2 * HOUR ? dayTick(at, end - start) : minuteTick(at) });
  }
  return ticks;
}
