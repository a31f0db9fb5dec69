// The moment that is pointed at: one for all charts.

const listeners = new Set();
let moment = null;

export const cursor = {
  get moment() {
    return moment;
  },
  /** Seconds since the epoch, or null for now. */
  set moment(at) {
    if (at === moment) return;
    moment = at;
    for (const listener of listeners) listener();
  },
  listen(listener) {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};
