// One picture, and its dots for a machine.

import { Problem, told } from "./api.js";
import { el } from "./dom.js";
import { bytes, moment } from "./format.js";
import { field, notice, submitted, Told } from "./notices.js";
import { Raster } from "./raster.js";

const DITHERS = [["floyd-steinberg", "Floyd–Steinberg"], ["ordered", "Ordered"]];

export async function picture(place, { id, signal }) {
  const [known, { entries: machines }] = await Promise.all([told(`/images/${id}`, { signal }), told("/machines", { signal })]);
  const width = el("input", { name: "width_mm", type: "number", min: "1", max: "900", step: "any", required: true, value: "80" });
  const machine = el("select", { name: "machine_id" }, ...machines.map((one) => el("option", { value: one.id }, `${one.name} (${one.dots_per_mm}/mm)`)));
  const gamma = el("input", { name: "gamma", type: "number", min: "0.1", max: "5", step: "0.1", required: true, value: "1" });
  const dither = el("select", { name: "dither" }, ...DITHERS.map(([value, text]) => el("option", { value }, text)));
  const form = el("form", { class: "card stack" });
  const wrong = new Told(form);
  const raster = new Raster(known.name, signal);
  form.append(
    el("h2", {}, "Dots for the laser"),
    el("div", { class: "fields" }, field("Width", width, { unit: "mm" }), field("Machine", machine), field("Dither", dither, { hint: "The first is soft, for photographs; the other is even, for drawings." }), field("Gamma", gamma, { hint: "Above 1 is lighter." })),
    wrong.element,
    el("div", { class: "actions" }, el("button", { type: "submit" }, "Make the dots")),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submitted(form, wrong, () =>
      raster.make(id, { width_mm: Number(width.value), machine_id: Number(machine.value), gamma: Number(gamma.value), dither: dither.value }),
    );
  });
  const original = el("img", { src: `api/images/${id}/thumbnail?side=1024`, alt: `The picture ${known.name}` });
  place.append(
    el("p", { class: "crumb" }, el("a", { href: "#/pictures" }, "Pictures")),
    el("h1", {}, known.name),
    el("p", { class: "facts" }, el("span", {}, `${known.width} × ${known.height} pixels`), el("span", {}, bytes(known.size)), el("time", { datetime: known.created_at }, moment(known.created_at))),
    el(
      "div",
      { class: "workbench pictured" },
      raster.element,
      el("div", { class: "stack" }, form, removing(id)),
      el("figure", { class: "preview" }, el("div", { class: "sheet photo" }, original), el("figcaption", {}, "As it was sent")),
    ),
  );
}

function removing(id) {
  const wrong = el("div", { role: "alert" });
  const button = el("button", { type: "button", class: "quiet", onclick: ask }, "Delete the picture");
  const place = el("div", {}, button, wrong);
  let asked = false;

  async function ask() {
    if (!asked) {
      asked = true;
      button.textContent = "Delete it and its dots for good?";
      button.classList.add("danger");
      return;
    }
    try {
      await told(`/images/${id}`, { method: "DELETE" });
      location.hash = "#/pictures";
    } catch (error) {
      if (!Problem.is(error)) throw error;
      wrong.replaceChildren(notice(error.message));
    }
  }

  return place;
}
