// Who looks: a token, from the address or asked for, is exchanged for a cookie that scripts cannot read.

import { byId, say } from "./dom.js";

/** Takes the token out of the address (`#token=…`, which no server ever sees). */
export async function enter() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token === null) return;
  history.replaceState(null, "", location.pathname + location.search);
  await exchange(token);
}

/** Whether numbers may be seen, for longer from now on; else asks for the token, and reloads once it is right. */
export async function admitted() {
  let response;
  try {
    response = await fetch("session");
  } catch {
    return true; // there is no server: whoever waits for one finds out then
  }
  if (response.status === 401) ask(response.headers.has("www-authenticate"));
  return response.status !== 401;
}

async function exchange(token) {
  try {
    return (await fetch("session", { headers: { Authorization: `Bearer ${encodeURIComponent(token)}` } })).ok;
  } catch {
    return false;
  }
}

function ask(byToken) {
  const dialog = byId("sign-in");
  if (dialog.open) return;
  const form = dialog.querySelector("form");
  say(byId("sign-in-text"), byToken ? "The token was shown where the page was started." : "You are no longer signed in to the application. Sign in there, then reload this page.");
  for (const part of form.querySelectorAll("label, input, button")) part.hidden = !byToken;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (await exchange(byId("token").value.trim())) location.reload();
    else say(byId("sign-in-problem"), "That is not the token.");
  });
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  dialog.showModal();
}
