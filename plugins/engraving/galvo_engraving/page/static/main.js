// The page: one view for each address after the #.

import { Problem } from "./api.js";
import { byId, el } from "./dom.js";
import { account } from "./account.js";
import { material } from "./material.js";
import { materials } from "./materials.js";
import { notice } from "./notices.js";
import { picture } from "./picture.js";
import { pictures } from "./pictures.js";
import { project } from "./project.js";
import { projects } from "./projects.js";
import { entrance, forget, me, show, whoIsIt } from "./session.js";
import { signInView } from "./sign-in.js";
import { template } from "./template.js";
import { templates } from "./templates.js";

// Address, part of the shop, view, and whether one has to sign in for it.
const VIEWS = [
  [/^\/$/, "#/", templates],
  [/^\/templates\/(\d+)$/, "#/", template],
  [/^\/materials$/, "#/materials", materials],
  [/^\/materials\/(\d+)$/, "#/materials", material],
  [/^\/projects$/, "#/projects", projects, true],
  [/^\/projects\/(\d+)$/, "#/projects", project, true],
  [/^\/pictures$/, "#/pictures", pictures, true],
  [/^\/pictures\/(\d+)$/, "#/pictures", picture, true],
  [/^\/sign-in$/, "", signInView],
  [/^\/account$/, "", account, true],
];
const main = byId("main");
let left = new AbortController();

/** Shows what the address names. A view fills `place` and resolves when there is something to see. */
async function go({ first = false } = {}) {
  const [path, search = ""] = (location.hash.slice(1) || "/").split("?", 2);
  if (!path.startsWith("/")) return; // the skip link
  left.abort();
  left = new AbortController();
  const { signal } = left;
  const place = el("div", { class: "view" });
  const found = VIEWS.find(([address]) => address.test(path));
  show();
  mark(found?.[1]);
  main.replaceChildren(place);
  main.setAttribute("aria-busy", "true");
  if (!found) place.append(el("h1", {}, "There is nothing here"), el("p", {}, el("a", { href: "#/" }, "All templates")));
  else if (found[3] && !me()) place.append(...closed(found[1]));
  else {
    try {
      await found[2](place, { id: path.match(found[0])[1], search: new URLSearchParams(search), signal });
    } catch (error) {
      if (signal.aborted) return;
      if (error.status === 401) return ended();
      if (!place.querySelector("h1")) place.append(el("h1", {}, error.status === 404 ? "There is nothing here" : "This cannot be shown"));
      place.append(notice(Problem.is(error) ? error.message : "This page has a fault: reload it."));
      if (!Problem.is(error)) console.error(error);
    }
    if (signal.aborted) return;
  }
  main.removeAttribute("aria-busy");
  const title = place.querySelector("h1");
  if (title) document.title = `${title.textContent} · Engraving`;
  if (first || !title) return;
  title.tabIndex = -1;
  title.focus({ preventScroll: true });
  scrollTo(0, 0);
}

/** The session is over while somebody looks at what is theirs. */
function ended() {
  forget();
  go();
}

function closed(part) {
  const name = { "#/projects": "Projects", "#/pictures": "Pictures" }[part] ?? "Account";
  return [
    el("h1", {}, name),
    el("div", { class: "empty" }, el("p", {}, "Sign in to see what is yours."), el("a", { class: "button", href: entrance() }, "Sign in or make an account")),
  ];
}

function mark(part) {
  for (const link of document.querySelectorAll("nav a")) {
    if (link.getAttribute("href") === part) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
addEventListener("hashchange", () => go());
addEventListener("session-ended", ended);
await whoIsIt();
go({ first: true });
