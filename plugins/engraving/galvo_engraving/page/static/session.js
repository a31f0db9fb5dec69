// Who has signed in. The token is in a cookie that no script can read.

import { Problem, told } from "./api.js";
import { byId, el } from "./dom.js";

let account = null;

export const me = () => account;
export const isStaff = () => account?.role === "staff";

export async function whoIsIt() {
  try {
    account = await told("/me");
  } catch (error) {
    if (!Problem.is(error)) throw error;
    account = null;
  }
  show();
}

export async function signIn(email, password) {
  await told("/sessions", { method: "POST", json: { email, password } });
  await whoIsIt();
}

export async function signOut() {
  await told("/sessions/current", { method: "DELETE" });
  account = null;
  show();
  location.hash = "#/";
}

/** The session has ended: in another window, or because it was a long time ago. */
export function forget() {
  account = null;
  show();
}

/** Where to sign in, to come back here after it. */
export const entrance = () => `#/sign-in?back=${encodeURIComponent(location.hash || "#/")}`;

export function show() {
  byId("dashboard").hidden = !account?.dashboard;
  byId("account").replaceChildren(
    ...(account
      ? [el("a", { class: "who", href: "#/account" }, account.name), el("button", { type: "button", class: "quiet", onclick: signOut }, "Sign out")]
      : [el("a", { class: "button", href: entrance() }, "Sign in")]),
  );
}
