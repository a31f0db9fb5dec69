// One project: what it is made of, what it takes, and its files for the laser.

import { Problem, query, told } from "./api.js";
import { announce, el, say } from "./dom.js";
import { editing } from "./editing.js";
import { mm, number, span, words } from "./format.js";
import { earlier, Jobs } from "./history.js";
import { field, notice, telling, Told } from "./notices.js";
import { Preview } from "./preview.js";
import { STATES } from "./projects.js";
import { facts, table } from "./tables.js";
import { watch } from "./watch.js";

export async function project(place, { id, signal }) {
  let known = null;
  const failing = el("div");
  const title = el("h1");
  const lead = el("p", { class: "lead" });
  const body = el("div", { class: "stack" });
  const jobs = new Jobs(id);
  const wrong = el("div", { class: "told", role: "alert" });
  const preview = new Preview("the project", { wrong: (problem) => wrong.replaceChildren(notice(problem.message)), right: () => wrong.replaceChildren(), signal });

  /** Only if nobody has changed it since this page was read. */
  const change = (values) => told(`/projects/${id}`, { method: "PATCH", json: { ...values, revision: known.revision } });

  function show(next) {
    if (known && known.revision !== next.revision) announce("The project was changed.");
    known = next;
    say(title, next.name);
    say(lead, `${next.template.name} of ${next.material.name}, ${mm(next.thickness_mm)}, on ${next.machine.name}`);
    const asked = differing(next);
    preview.show(`/templates/${next.template.id}/preview${query(asked)}`);
    body.replaceChildren(...parts(next));
    jobs.show(next);
    edit.setAttribute("href", `#/templates/${next.template.id}${query({ ...asked, project: id })}`);
    status.value = next.status;
  }

  const edit = el("a", { class: "button" }, "Change the box");
  const status = el("select", { name: "status" }, ...STATES.map((name) => el("option", { value: name }, words(name))));
  const settings = el("form", { class: "inline" }, field("State", status));
  const wrongState = new Told(settings);
  settings.append(wrongState.element);
  settings.addEventListener("submit", (event) => event.preventDefault());
  status.addEventListener("change", async () => {
    try {
      await change({ status: status.value });
      wrongState.clear();
    } catch (error) {
      status.value = known.status;
      wrongState.show(error);
    }
  });

  await watch(`/projects/${id}`, show, telling(failing), signal);
  if (!known) {
    place.append(el("h1", {}, "This project cannot be shown"), failing, el("p", {}, el("a", { href: "#/projects" }, "Your projects")));
    return;
  }
  place.append(
    el("p", { class: "crumb" }, el("a", { href: "#/projects" }, "Projects")),
    title,
    lead,
    failing,
    el("div", { class: "actions" }, edit, el("a", { class: "button quiet", href: `api/projects/${id}/export.svg`, download: true }, "Panels (SVG)"), el("a", { class: "button quiet", href: `api/projects/${id}/export.clb`, download: true }, "LightBurn settings"), editing("Rename", () => ({ name: known.name }), change), deleting(id)),
    el("div", { class: "workbench" }, el("div", { class: "bench" }, preview.element, wrong, settings, estimate(id, signal)), el("div", { class: "stack" }, body, jobs.element, earlier(id, signal))),
  );
}

/** For the preview: the box, and of its parameters those that differ from the template's. */
function differing(known) {
  const own = known.parameters.filter(({ kind, value, default_value }) => (kind === "flag" || kind === "choice" ? String(value) !== default_value : Number(value) !== Number(default_value)));
  return { material_id: known.material.id, thickness_mm: known.thickness_mm, machine_id: known.machine.id, ...Object.fromEntries(own.map(({ name, value }) => [name, String(value)])) };
}

/** Thickness and kerf are the sheet's, unless the project has its own. */
function measured(known, { name, value, default_value }) {
  const sheet = { thickness: known.thickness_mm, kerf: known.cut?.kerf_mm }[name];
  return Number(value) === Number(default_value) ? (sheet ?? value) : value;
}

function parts(known) {
  const { cut } = known;
  const unit = (one) => (one.unit === "mm" ? mm(one.value) : typeof one.value === "boolean" ? (one.value ? "yes" : "no") : typeof one.value === "number" ? `${number(one.value)}${one.unit ? ` ${one.unit}` : ""}` : words(String(one.value)));
  return [
    el("section", { class: "card" }, el("h2", {}, "Measures"), facts(known.parameters.map((one) => [words(one.name), unit({ ...one, value: measured(known, one) })]))),
    el(
      "section",
      { class: "card" },
      el("h2", {}, "The cut"),
      cut ? facts([["Speed", `${number(cut.speed_mm_s)} mm/s`], ["Power", `${number(cut.power_pct)} %`], ["Passes", cut.passes], ["Kerf", cut.kerf_mm === null ? "–" : mm(cut.kerf_mm)], ["Air", cut.air_assist ? "on" : "off"]]) : el("p", {}, "This material has no setting to cut it on this machine."),
    ),
    known.parts.length ? el("section", { class: "card" }, table("Parts", ["Name", "Operation", "Pieces", "Size", "Path"], known.parts.map((one) => [one.name, words(one.operation), one.quantity, `${number(one.width_mm)} × ${mm(one.height_mm)}`, mm(one.path_mm)]))) : "",
  ].filter(Boolean);
}

function estimate(id, signal) {
  const place = el("p", { class: "muted" });
  const show = ({ seconds, from }) => say(place, seconds ? `About ${span(seconds)} on the machine${from === "drawing" ? ", by its drawing" : ""}.` : "");
  watch(`/projects/${id}/estimate`, show, (problem) => say(place, problem?.message ?? ""), signal);
  return place;
}

function deleting(id) {
  const wrong = el("div", { role: "alert" });
  const dialog = el(
    "dialog",
    { "aria-labelledby": "delete-title" },
    el("h2", { id: "delete-title" }, "Delete this project?"),
    el("p", {}, "Its parts, jobs and earlier states go with it."),
    wrong,
    el("div", { class: "actions" }, el("button", { type: "button", class: "danger", onclick: remove }, "Delete"), el("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Keep")),
  );

  async function remove() {
    try {
      await told(`/projects/${id}`, { method: "DELETE" });
      location.hash = "#/projects";
    } catch (error) {
      if (!Problem.is(error)) throw error;
      wrong.replaceChildren(notice(error.message));
    }
  }

  return el("div", {}, el("button", { type: "button", class: "quiet", onclick: () => dialog.showModal() }, "Delete"), dialog);
}
