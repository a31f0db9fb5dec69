// One's own pictures: put here by hand or by dropping them.

import { told, Problem } from "./api.js";
import { announce, el, fresh } from "./dom.js";
import { bytes, moment } from "./format.js";
import { Listing } from "./listing.js";
import { notice } from "./notices.js";

const KINDS = ["image/png", "image/jpeg", "image/webp", "image/tiff", "image/gif"];

export async function pictures(place, { signal }) {
  const listing = new Listing("/images", card, { empty: () => "You have no pictures yet. Choose one, and see its dots before they burn.", signal });
  place.append(el("h1", {}, "Pictures"), el("p", { class: "lead" }, "A photograph or drawing becomes the dots that the laser burns."), dropping(signal), listing.element);
  await listing.show({});
}

function dropping(signal) {
  const id = fresh("file");
  const input = el("input", { type: "file", id, accept: KINDS.join(","), "aria-describedby": `${id}-hint` });
  const wrong = el("div", { role: "alert" });
  const state = el("p", { class: "muted", role: "status" });
  const zone = el(
    "div",
    { class: "drop" },
    el("label", { for: id }, "Choose a picture"),
    el("p", { class: "hint", id: `${id}-hint` }, "Or drop it here. PNG, JPEG, WebP, TIFF or GIF."),
    input,
    state,
    wrong,
  );
  input.addEventListener("change", () => input.files[0] && upload(input.files[0]));
  for (const name of ["dragover", "dragenter"]) {
    zone.addEventListener(name, (event) => {
      event.preventDefault();
      zone.classList.add("over");
    });
  }
  zone.addEventListener("dragleave", (event) => zone.contains(event.relatedTarget) || zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    if (event.dataTransfer.files[0]) upload(event.dataTransfer.files[0]);
    else wrong.replaceChildren(notice("Drop a picture's file, not a link or a text."));
  });

  async function upload(file) {
    wrong.replaceChildren();
    if (!KINDS.includes(file.type)) {
      wrong.replaceChildren(notice(`${file.name} is no picture that can be engraved: choose PNG, JPEG, WebP, TIFF or GIF.`));
      input.value = "";
      return;
    }
    state.textContent = `Sending ${file.name}, ${bytes(file.size)} …`;
    try {
      const made = await told(`/images?name=${encodeURIComponent(file.name.slice(0, 200))}`, { method: "POST", body: file, type: file.type, signal });
      announce(`${file.name} is here.`);
      location.hash = `#/pictures/${made.id}`;
    } catch (error) {
      if (signal.aborted) return;
      if (!Problem.is(error)) throw error;
      if (error.status === 401) dispatchEvent(new Event("session-ended"));
      state.textContent = "";
      wrong.replaceChildren(notice(`${file.name}: ${error.sentence}`.replace(/([^.!?])$/, "$1.")));
    } finally {
      input.value = "";
    }
  }

  return zone;
}

function card(picture) {
  return el(
    "li",
    { class: "card" },
    el("div", { class: "sheet photo" }, el("img", { src: `api/images/${picture.id}/thumbnail`, alt: "", loading: "lazy", decoding: "async" })),
    el("h2", {}, el("a", { href: `#/pictures/${picture.id}` }, picture.name)),
    el("p", { class: "facts" }, el("span", {}, `${picture.width} × ${picture.height}`), el("span", {}, bytes(picture.size)), el("time", { datetime: picture.created_at }, moment(picture.created_at))),
  );
}
