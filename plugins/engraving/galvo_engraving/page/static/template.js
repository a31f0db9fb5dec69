// One template: its measures as a form, its panels as they change, and a project made of it.

import { query, told } from "./api.js";
import { Choosing } from "./choosing.js";
import { announce, el, say } from "./dom.js";
import { differing, sections, typed } from "./fields.js";
import { words } from "./format.js";
import { editing } from "./editing.js";
import { remember } from "./listing.js";
import { field, submitted, telling, Told } from "./notices.js";
import { Preview } from "./preview.js";
import { entrance, isStaff, me } from "./session.js";
import { difficulty } from "./templates.js";
import { watch } from "./watch.js";

const OWN = new Set(["material_id", "thickness_mm", "machine_id", "project"]);

export async function template(place, { id, search, signal }) {
  const title = el("h1");
  const summary = el("p", { class: "lead" });
  const facts = el("p", { class: "facts" });
  const form = el("form", { class: "measures", novalidate: true });
  const wrong = new Told(form);
  const measures = el("div", { class: "stack" });
  let known = null;
  let preview = null;
  let given = new URLSearchParams([...search].filter(([name]) => !OWN.has(name)));

  const choosing = new Choosing(changed, signal);
  const saving = new Saving(() => ({ template: known, values: differing(form, known.parameters), ...choosing.values }), search.get("project"));

  function changed() {
    if (!known || !choosing.material) return;
    const values = { ...choosing.values, ...differing(form, known.parameters) };
    remember(`/templates/${id}`, { ...values, project: search.get("project") });
    preview.show(`/templates/${id}/preview${query(values)}`);
  }

  function show(next) {
    const again = known !== null;
    if (again) given = new URLSearchParams(differing(form, known.parameters));
    const same = again && JSON.stringify(known.parameters) === JSON.stringify(next.parameters);
    if (again && known.summary !== next.summary) announce(`The summary was changed: ${next.summary}`);
    known = next;
    say(title, next.name);
    say(summary, next.summary);
    facts.replaceChildren(el("span", {}, words(next.template_group)), difficulty(next.difficulty), el("span", {}, `about ${next.minutes} min on the machine`));
    if (!same) measures.replaceChildren(...sections(next.parameters, given));
    if (again) changed();
  }

  place.append(el("p", { class: "crumb" }, el("a", { href: "#/" }, "Templates")), title, summary, facts);
  if (isStaff()) place.append(editing("Edit the summary", () => ({ summary: known.summary }), (values) => told(`/templates/${id}`, { method: "PATCH", json: values })));
  const failing = el("div");
  await Promise.all([
    watch(`/templates/${id}`, show, (problem) => {
      if (!known) telling(failing)(problem);
      else if (problem) wrong.show(problem, { move: false });
      else wrong.clear();
    }, signal),
    choosing.open({ material: search.get("material_id"), thickness: search.get("thickness_mm"), machine: search.get("machine_id") }),
  ]);
  if (!known) {
    place.replaceChildren(el("h1", {}, "This template cannot be shown"), failing, el("p", {}, el("a", { href: "#/" }, "All templates")));
    return;
  }
  preview = new Preview(known.name, { wrong: (problem) => wrong.show(problem, { move: false }), right: () => wrong.clear(), signal });
  form.append(el("details", { class: "section", open: true }, el("summary", {}, "Material"), choosing.element), measures);
  form.addEventListener("input", (event) => event.target.name in { family: 1, material_id: 1, machine_id: 1 } || changed());
  form.addEventListener("submit", (event) => event.preventDefault());
  place.append(el("div", { class: "workbench" }, el("div", { class: "bench" }, preview.element, wrong.element, saving.element), form));
  changed();
}

/** What was measured, as a project: a new one, or the one that it came from. */
class Saving {
  element = el("form", { class: "saving" });
  #told = new Told(this.element);
  #state;
  #project;

  constructor(state, project) {
    this.#state = state;
    this.#project = project;
    if (!me()) {
      const door = el("a", { class: "button", href: entrance() }, "Sign in to save it");
      door.addEventListener("focus", () => door.setAttribute("href", entrance())); // with the measures of now
      door.addEventListener("pointerenter", () => door.setAttribute("href", entrance()));
      this.element.append(door);
      return;
    }
    if (project) this.element.append(el("button", { type: "submit" }, "Save the project"), el("a", { class: "button quiet", href: `#/projects/${project}` }, "Back to it"), this.#told.element);
    else {
      const name = el("input", { name: "name", required: true, maxlength: 200, autocomplete: "off" });
      this.element.append(field("Name of the project", name), el("button", { type: "submit" }, "Save as a project"), this.#told.element);
    }
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      submitted(this.element, this.#told, () => this.#save());
    });
  }

  async #save() {
    const { template: from, values, material_id, thickness_mm, machine_id } = this.#state();
    const box = { material_id: Number(material_id), machine_id: Number(machine_id), thickness_mm: Number(thickness_mm), parameters: typed(values, from.parameters) };
    let id = this.#project;
    if (id) {
      const { revision } = await told(`/projects/${id}`);
      await told(`/projects/${id}`, { method: "PATCH", json: { ...box, revision } });
    } else {
      const name = this.element.elements.namedItem("name").value;
      ({ id } = await told("/projects", { method: "POST", json: { ...box, name, template_id: from.id } }));
    }
    location.hash = `#/projects/${id}`;
  }
}
