// One material and its laser settings, which staff may change.

import { told } from "./api.js";
import { announce, el, say } from "./dom.js";
import { editing } from "./editing.js";
import { mm, number, words } from "./format.js";
import { telling } from "./notices.js";
import { isStaff } from "./session.js";
import { table } from "./tables.js";
import { watch } from "./watch.js";

const LABELS = { speed_mm_s: "Speed mm/s", power_pct: "Power %", passes: "Passes", interval_mm: "Interval mm", kerf_mm: "Kerf mm" };

export async function material(place, { id, signal }) {
  const title = el("h1");
  const lead = el("p", { class: "lead" });
  const note = el("p", { class: "muted" });
  const settings = el("div", { class: "stack" });
  const failing = el("div");
  let known = null;
  const { entries: machines } = await told("/machines", { signal });

  function show(next) {
    if (known) announce("The settings were changed.");
    say(title, next.name);
    say(lead, `${words(next.family)} by ${next.supplier}, ${number(next.density)} g/cm³`);
    say(note, next.note);
    const open = settings.querySelector("form") !== null;
    known = next;
    if (!open) draw(); // nobody's typing is thrown away; it is drawn when the form is shut
  }

  function draw() {
    const focused = document.activeElement?.dataset?.setting;
    settings.replaceChildren(...machines.filter((machine) => of(machine).length).map((machine) => el("section", { class: "card" }, table(machine.name, heads(), of(machine).map(cells)))));
    if (focused) settings.querySelector(`[data-setting="${focused}"]`)?.focus();
    if (!known.settings.length) settings.append(el("p", { class: "empty" }, "There are no settings for this material yet."));
  }

  const of = (machine) => known.settings.filter(({ machine_id }) => machine_id === machine.id);
  const heads = () => ["Thickness", "Operation", "Speed", "Power", "Passes", "Interval", "Kerf", "Air", ...(isStaff() ? [""] : [])];

  function cells(one) {
    const values = [
      one.thickness_mm === null ? "any" : mm(one.thickness_mm), words(one.operation), `${number(one.speed_mm_s)} mm/s`, `${number(one.power_pct)} %`, one.passes,
      one.interval_mm === null ? "–" : mm(one.interval_mm), one.kerf_mm === null ? "–" : mm(one.kerf_mm), one.air_assist ? "on" : "off",
    ];
    if (isStaff()) {
      const about = `${words(one.operation)} ${one.thickness_mm === null ? "any thickness" : mm(one.thickness_mm)}`;
      values.push(el("button", { type: "button", class: "quiet small", "data-setting": one.id, "aria-label": `Edit: ${about}`, onclick: () => change(one.id, about) }, "Edit"));
    }
    return values;
  }

  function change(setting, about) {
    const now = known.settings.find((one) => one.id === setting);
    const names = ["speed_mm_s", "power_pct", "passes", ...(now.kerf_mm === null ? [] : ["kerf_mm"]), ...(now.interval_mm === null ? [] : ["interval_mm"])];
    const values = () => Object.fromEntries(names.map((name) => [name, Number(now[name])]));
    const form = editing(`Edit: ${about}`, values, (changed) => told(`/settings/${setting}`, { method: "PATCH", json: changed }), {
      labels: LABELS,
      shut: () => {
        draw();
        settings.querySelector(`[data-setting="${setting}"]`)?.focus();
      },
    });
    const row = settings.querySelector(`[data-setting="${setting}"]`).closest("section");
    settings.querySelector(".editing")?.remove();
    row.append(form);
    form.querySelector("button").click();
  }

  await watch(`/materials/${id}`, show, telling(failing), signal);
  if (!known) {
    place.append(el("h1", {}, "This material cannot be shown"), failing, el("p", {}, el("a", { href: "#/materials" }, "All materials")));
    return;
  }
  place.append(el("p", { class: "crumb" }, el("a", { href: "#/materials" }, "Materials")), title, lead, note, failing, settings);
}
