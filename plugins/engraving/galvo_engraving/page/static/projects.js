// One's own projects, the last changed first.

import { el } from "./dom.js";
import { moment, words } from "./format.js";
import { chips, Listing, remember } from "./listing.js";

export const STATES = ["draft", "ready", "ordered", "done"];

export async function projects(place, { search, signal }) {
  const values = { search: search.get("search") ?? "", status: search.get("status") ?? "" };
  const none = () => (values.search || values.status ? "None of your projects is so." : "You have no projects yet. Choose a template, make it fit, and save it.");
  const listing = new Listing("/projects", row, { empty: none, kind: "rows", signal });
  const box = el("input", { type: "search", id: "search", value: values.search, autocomplete: "off", maxlength: 100 });
  const changed = () => {
    remember("/projects", values);
    return values;
  };
  box.addEventListener("input", () => {
    values.search = box.value.trim();
    listing.soon(changed());
  });
  place.append(
    el("h1", {}, "Projects"),
    el(
      "search",
      { class: "filters" },
      el("div", { class: "field" }, el("label", { for: "search" }, "Search"), box),
      chips("State", "status", [["", "All"], ...STATES.map((name) => [name, words(name)])], values.status, (status) => {
        values.status = status;
        listing.show(changed());
      }),
    ),
    listing.element,
  );
  await listing.show(changed());
}

function row(project) {
  return el(
    "li",
    {},
    el("h2", {}, el("a", { href: `#/projects/${project.id}` }, project.name)),
    el("span", { class: `state ${project.status}` }, words(project.status)),
    el("span", { class: "muted" }, `${project.template}, ${project.material}`),
    el("time", { class: "muted", datetime: project.updated_at }, moment(project.updated_at)),
  );
}
