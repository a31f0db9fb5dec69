// The controls of a template's parameters.

import { el } from "./dom.js";
import { number, words } from "./format.js";
import { field } from "./notices.js";

const SECTIONS = { size: "Size", joint: "Joints and kerf", form: "Form", extra: "Extras" };
const UNITS = { mm: "mm", deg: "°", degree: "°" };
const SHUT = new Set(["joint", "extra"]);

/** A section for each of the template's, in their order; what `given` has differs from the defaults. */
export function sections(parameters, given) {
  const made = new Map();
  for (const one of parameters) {
    if (!made.has(one.section)) made.set(one.section, []);
    made.get(one.section).push(control(one, given.get(one.name)));
  }
  return [...made].map(([name, controls]) =>
    el("details", { class: "section", open: !SHUT.has(name) || undefined }, el("summary", {}, SECTIONS[name] ?? words(name)), el("div", { class: "fields" }, ...controls)),
  );
}

/** What the material says unless somebody says otherwise. */
const BY_MATERIAL = new Set(["thickness", "kerf"]);

/** Those that differ from the defaults: name and text. */
export function differing(form, parameters) {
  const values = {};
  for (const one of parameters) {
    const input = form.elements.namedItem(one.name);
    const value = one.kind === "flag" ? String(input.checked) : input.value.trim();
    if (value !== "" && (BY_MATERIAL.has(one.name) || value !== String(shown(one, one.default_value)))) values[one.name] = value;
  }
  return values;
}

/** As JSON has them: numbers, truth, choices. */
export function typed(values, parameters) {
  return Object.fromEntries(parameters.filter(({ name }) => name in values).map(({ name, kind }) => [name, kind === "flag" ? values[name] === "true" : kind === "choice" ? values[name] : Number(values[name])]));
}

export const shown = (parameter, value) => (parameter.kind === "flag" ? String(value).toLowerCase() : parameter.kind === "choice" ? value : Number(value));

function control(one, given) {
  const value = shown(one, given ?? one.default_value);
  if (one.kind === "flag") {
    const input = el("input", { type: "checkbox", name: one.name });
    input.checked = value === "true";
    return field(words(one.name), input, { hint: one.description });
  }
  if (one.kind === "choice") {
    const select = el("select", { name: one.name }, ...one.choices.map((choice) => el("option", { value: choice }, words(choice))));
    select.value = value;
    return field(words(one.name), select, { hint: one.description });
  }
  return measured(one, value, given);
}

function measured(one, value, given) {
  const whole = one.kind === "count";
  const bounds = { min: String(one.minimum ?? ""), max: String(one.maximum ?? "") };
  const input = el("input", { type: "number", name: one.name, inputmode: whole ? "numeric" : "decimal", step: whole ? 1 : "any", required: true, ...bounds });
  input.value = value;
  if (BY_MATERIAL.has(one.name)) {
    input.required = false;
    input.value = given ?? "";
    input.placeholder = "as the material";
  }
  const limits = one.minimum !== null && one.maximum !== null ? ` ${number(one.minimum)} to ${number(one.maximum)}.` : "";
  const made = field(words(one.name), input, { hint: one.description + limits, unit: UNITS[one.unit] ?? one.unit });
  if (one.section === "size" && limits) made.querySelector("label").after(slider(one, input));
  return made;
}

/** The same by hand: left out of the tab order and of what is read aloud, since the number beside it is the control. */
function slider(one, input) {
  const span = one.maximum - one.minimum;
  const made = el("input", { type: "range", tabindex: -1, "aria-hidden": "true", min: String(one.minimum), max: String(one.maximum), step: String(one.kind === "count" ? 1 : span > 50 ? 1 : 0.1) });
  made.value = input.value;
  made.addEventListener("input", () => {
    input.value = made.value;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });
  input.addEventListener("input", () => {
    made.value = input.value;
  });
  return made;
}
