// Says in one place when the server is slow, or away.

import { byId, say } from "./dom.js";

const SLOW = 3000;
const open = new Map();
/** Waited for longer than usual: some of those that are open. */
const late = new Set();
let away = false;

export function began() {
  const asked = {};
  open.set(asked, setTimeout(() => show(asked), SLOW));
  return asked;
}

/** `answered`: null where nobody waits for it any more. */
export function ended(asked, answered) {
  clearTimeout(open.get(asked));
  open.delete(asked);
  if (answered !== null) away = !answered;
  show();
}

function show(slow) {
  if (slow) late.add(slow);
  for (const one of late) if (!open.has(one)) late.delete(one);
  const text = away ? "The server does not answer. What is shown may be old; this page goes on trying." : late.size ? "The server takes longer than usual." : "";
  const place = byId("trouble");
  say(place, text);
  place.hidden = !text;
}
