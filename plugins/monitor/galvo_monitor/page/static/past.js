// The points of one line: what the server keeps, and what has come since.

const POINTS = 500;
const LIVE = 3600;
const MOST = 4000;
const FAR = 0.03; // of the range: a point further away is not what is pointed at

export class Line {
  times = [];
  means = [];
  highs = [];
  step = 0; // usual seconds between two points of the server
  #kept = 0;
  #pause = 0;

  constructor(series) {
    this.series = series;
  }

  /** What the server knows, instead of what was there. Later points that it does not have yet stay. */
  replace(past, range) {
    const last = past?.times.length ? past.times.at(-1) : -Infinity;
    const from = this.times.findIndex((at, index) => index >= this.#kept && at > last);
    const tail = from < 0 ? [[], [], []] : [this.times.slice(from), this.means.slice(from), this.highs.slice(from)];
    this.#kept = past?.times.length ?? 0;
    this.step = usual(past?.times ?? []);
    this.#pause = range <= LIVE ? 0 : range / POINTS;
    this.times = [...(past?.times ?? []), ...tail[0]];
    this.means = [...(past?.means ?? []), ...tail[1]];
    this.highs = [...(past?.highs ?? []), ...tail[2]];
  }

  add(at, value) {
    if (this.times.length && at - this.times.at(-1) <= this.#pause) return;
    this.times.push(at);
    this.means.push(value);
    this.highs.push(value);
    if (this.times.length > MOST) this.#forget(MOST / 2);
  }

  #forget(count) {
    for (const points of [this.times, this.means, this.highs]) points.splice(0, count);
    this.#kept = Math.max(0, this.#kept - count);
  }

  /** Seconds from a moment within which a point of a chart over `range` seconds is meant. */
  reach(range) {
    return Math.max(FAR * range, this.step);
  }

  /** Index of the point nearest to `at`, or -1 when there is none within `reach` seconds. */
  nearest(at, reach) {
    let low = 0;
    let high = this.times.length - 1;
    if (high < 0) return -1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.times[middle] < at) low = middle + 1;
      else high = middle;
    }
    if (low > 0 && at - this.times[low - 1] < this.times[low] - at) low -= 1;
    return Math.abs(this.times[low] - at) <= reach ? low : -1;
  }

  at(moment, reach) {
    const index = this.nearest(moment, reach);
    return index < 0 ? null : this.means[index];
  }
}

/** The seconds from one point to the next, of most. */
export function usual(times) {
  const steps = times.slice(1).map((at, n) => at - times[n]).sort((a, b) => a - b);
  return steps[Math.floor(steps.length * 0.75)] ?? 0;
}

/** The points of `lines` over the last `range` seconds before `now`. Whether they came. */
export async function load(lines, now, range) {
  const query = new URLSearchParams({ start: now - range, end: now + 1, points: POINTS });
  for (const line of lines) query.append("series", line.series);
  try {
    const response = await fetch(`past?${query}`);
    if (!response.ok) return false;
    const told = await response.json();
    for (const line of lines) line.replace(told[line.series], range);
    return true;
  } catch {
    return false;
  }
}
