// What is shown stays true: it is asked for again when somebody writes, when the window is looked at again, and every
// few seconds. Whatever has not changed costs the server a comparison of tags (304), and this page nothing.

import { ask, onWrite, Problem } from "./api.js";

const EVERY = 3000;

/** Calls `show(data)` now and whenever `path` says something else, `fail(problem)` when it cannot be had, once for each
 * sentence, and `fail(null)` when it can be had again.
 *
 * Until `signal`. Resolves after the first answer.
 */
export function watch(path, show, fail, signal) {
  let before = null;
  let failed = null;
  let running = null;
  let again = false;

  async function look() {
    try {
      const text = await (await ask(path, { signal })).text();
      if (failed && !signal.aborted) fail(null);
      failed = null;
      if (text !== before && !signal.aborted) show(JSON.parse(text));
      before = text;
    } catch (error) {
      if (signal.aborted) return;
      if (!Problem.is(error)) throw error;
      if (error.status === 401) dispatchEvent(new Event("session-ended"));
      else if ((before === null || error.status) && error.message !== failed) {
        failed = error.message;
        fail(error);
      }
      if (error.status) before = null;
    }
  }

  function now() {
    if (running) {
      again = true; // what is on its way may have been read before the write
      return running;
    }
    running = look().finally(() => {
      running = null;
      if (again && !signal.aborted) {
        again = false;
        now();
      }
    });
    return running;
  }

  const visible = () => document.visibilityState === "visible" && now();
  const timer = setInterval(visible, EVERY);
  signal.addEventListener("abort", () => clearInterval(timer));
  document.addEventListener("visibilitychange", visible, { signal });
  addEventListener("focus", visible, { signal });
  onWrite(now, signal);
  return now();
}
