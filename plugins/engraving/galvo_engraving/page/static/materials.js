// All materials, by family and name.

import { told } from "./api.js";
import { el } from "./dom.js";
import { words } from "./format.js";
import { chips, Listing, remember } from "./listing.js";

export async function materials(place, { search, signal }) {
  const values = { search: search.get("search") ?? "", family: search.get("family") ?? "" };
  const listing = new Listing("/materials", row, { empty: () => "No material is called so. Try a shorter word, or another family.", kind: "rows", signal });
  const box = el("input", { type: "search", id: "search", value: values.search, autocomplete: "off", maxlength: 100 });
  const changed = () => {
    remember("/materials", values);
    return { ...values, limit: 40 };
  };
  box.addEventListener("input", () => {
    values.search = box.value.trim();
    listing.soon(changed());
  });
  const { entries: families } = await told("/materials/families", { signal });
  const all = families.reduce((sum, { count }) => sum + count, 0);
  place.append(
    el("h1", {}, "Materials"),
    el("p", { class: "lead" }, "What the laser does to each of them, on each machine and at each thickness."),
    el(
      "search",
      { class: "filters" },
      el("div", { class: "field" }, el("label", { for: "search" }, "Search"), box),
      chips("Family", "family", [["", "All", all], ...families.map(({ name, count }) => [name, words(name), count])], values.family, (family) => {
        values.family = family;
        listing.show(changed());
      }),
    ),
    listing.element,
  );
  await listing.show(changed());
}

function row(material) {
  return el(
    "li",
    {},
    el("h2", {}, el("a", { href: `#/materials/${material.id}` }, material.name)),
    el("span", { class: "muted" }, words(material.family)),
    el("span", { class: "muted" }, material.supplier),
    el("span", { class: "muted" }, material.sheets === 1 ? "1 thickness" : `${material.sheets} thicknesses`),
  );
}
