// Asks the application. What goes wrong is a Problem with one sentence for people.

import { began, ended } from "./trouble.js";

const LONGEST = 30_000;
const channel = new BroadcastChannel("engraving");
const heard = new EventTarget();
channel.addEventListener("message", () => heard.dispatchEvent(new Event("wrote")));

export class Problem extends Error {
  constructor(sentence, status = 0, retryAfter = null) {
    super(sentence[0].toUpperCase() + sentence.slice(1) + (/[.!?]$/.test(sentence) ? "" : "."));
    this.sentence = sentence;
    this.status = status;
    this.retryAfter = retryAfter;
  }

  /** Something to be told to people; not a fault of this page. */
  static is(error) {
    return error instanceof Problem;
  }
}

/** Calls `listener` whenever this window or another one of this browser has written. */
export function onWrite(listener, signal) {
  heard.addEventListener("wrote", listener, { signal });
}

/** The response, where it is a good one. Raises Problem; AbortError where `signal` says so. */
export async function ask(path, { method = "GET", json, body, type, signal } = {}) {
  const headers = {};
  if (json !== undefined) headers["content-type"] = "application/json";
  if (type) headers["content-type"] = type;
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), body ? 10 * LONGEST : LONGEST);
  const signals = [timeout.signal, signal].filter(Boolean);
  const asked = began();
  let response;
  try {
    const content = json !== undefined ? JSON.stringify(json) : body;
    response = await fetch(`api${path}`, { method, headers, body: content, cache: "no-cache", signal: AbortSignal.any(signals) });
  } catch (error) {
    if (signal?.aborted) {
      ended(asked, null);
      throw error;
    }
    ended(asked, false);
    throw new Problem(timeout.signal.aborted ? "the server did not answer in time: try it once more" : "the server does not answer: is it running?");
  } finally {
    clearTimeout(timer);
  }
  ended(asked, true);
  if (!response.ok) throw await problemOf(response);
  if (method !== "GET") wrote();
  return response;
}

export async function told(path, options) {
  const response = await ask(path, options);
  return response.status === 204 ? null : response.json();
}

/** The query of those values that are there, with its question mark. */
export function query(values) {
  const kept = Object.entries(values).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return kept.length ? `?${new URLSearchParams(kept)}` : "";
}

function wrote() {
  channel.postMessage("");
  heard.dispatchEvent(new Event("wrote"));
}

async function problemOf(response) {
  let sentence = `the server answers ${response.status}: try it once more later`;
  try {
    sentence = (await response.json()).problem || sentence;
  } catch {
    // it is not the application that answers, or not as it should
  }
  return new Problem(sentence, response.status, response.headers.get("retry-after"));
}
