// All templates, by group and name.

import { told } from "./api.js";
import { el } from "./dom.js";
import { words } from "./format.js";
import { chips, Listing, remember } from "./listing.js";

export async function templates(place, { search, signal }) {
  const values = { search: search.get("search") ?? "", group: search.get("group") ?? "" };
  const listing = new Listing("/templates", card, { empty: () => "No template is called so. Try a shorter word, or another group.", signal });
  const box = el("input", { type: "search", id: "search", value: values.search, autocomplete: "off", maxlength: 100 });
  const changed = () => {
    remember("/", values);
    return { ...values, limit: 24 };
  };
  box.addEventListener("input", () => {
    values.search = box.value.trim();
    listing.soon(changed());
  });
  const { entries: groups } = await told("/templates/groups", { signal });
  const all = groups.reduce((sum, { count }) => sum + count, 0);
  place.append(
    el("h1", {}, "Templates"),
    el("p", { class: "lead" }, "Boxes, trays and stands to cut from a sheet. Choose one and make it fit."),
    el(
      "search",
      { class: "filters" },
      el("div", { class: "field" }, el("label", { for: "search" }, "Search"), box),
      chips("Group", "group", [["", "All", all], ...groups.map(({ name, count }) => [name, words(name), count])], values.group, (group) => {
        values.group = group;
        listing.show(changed());
      }),
    ),
    listing.element,
  );
  await listing.show(changed());
}

function card(template) {
  const picture = el("img", { src: `api/templates/${template.id}/preview`, alt: "", loading: "lazy", decoding: "async", onerror: () => picture.remove() });
  return el(
    "li",
    { class: "card" },
    el("div", { class: "sheet" }, picture),
    el("h2", {}, el("a", { href: `#/templates/${template.id}` }, template.name)),
    el("p", {}, template.summary),
    el("p", { class: "facts" }, el("span", {}, words(template.template_group)), difficulty(template.difficulty), el("span", {}, `${template.minutes} min`)),
  );
}

const LEVELS = ["", "very easy", "easy", "medium", "demanding", "hard"];
export const difficulty = (level) => el("span", { class: "level" }, LEVELS[level] ?? `${level} of 5`);
