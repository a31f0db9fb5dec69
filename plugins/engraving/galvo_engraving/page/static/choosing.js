// Which material, how thick, on which machine.

import { Problem, told } from "./api.js";
import { el } from "./dom.js";
import { mm, words } from "./format.js";
import { field } from "./notices.js";
import { watch } from "./watch.js";

const ALL = 100;

/** Four selects that depend on each other. `chosen`: what the address says. */
export class Choosing {
  element = el("div", { class: "fields" });
  material = null;
  #family = el("select", { name: "family" });
  #material = el("select", { name: "material_id", required: true });
  #thickness = el("select", { name: "thickness_mm", required: true });
  #machine = el("select", { name: "machine_id", required: true });
  #changed;
  #signal;
  #watched = new AbortController();

  constructor(changed, signal) {
    this.#changed = changed;
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#watched.abort());
    this.element.append(field("Family", this.#family), field("Material", this.#material), field("Thickness", this.#thickness), field("Machine", this.#machine));
    this.#family.addEventListener("change", async () => {
      await this.#materials(this.#family.value);
      await this.#profile();
      changed();
    });
    this.#material.addEventListener("change", async () => {
      await this.#profile();
      changed();
    });
    this.#machine.addEventListener("change", () => {
      this.#thicknesses();
      changed();
    });
  }

  /** Resolves when everything can be chosen. */
  async open({ material, thickness, machine }) {
    const options = { signal: this.#signal };
    const [{ entries: families }, { entries: machines }] = await Promise.all([told("/materials/families", options), told("/machines", options)]);
    this.#family.replaceChildren(...families.map(({ name, count }) => el("option", { value: name }, `${words(name)} (${count})`)));
    this.#machine.replaceChildren(...machines.map(({ id, name }) => el("option", { value: id }, name)));
    if (machine) this.#machine.value = machine;
    let known = null;
    if (material) known = await told(`/materials/${material}`, options).catch(gone);
    this.#family.value = known?.family ?? (families.some(({ name }) => name === "wood") ? "wood" : families[0]?.name);
    await this.#materials(this.#family.value, known);
    await this.#profile(thickness);
  }

  get values() {
    return { material_id: this.#material.value, thickness_mm: this.#thickness.value, machine_id: this.#machine.value };
  }

  async #materials(family, known = null) {
    const page = await told(`/materials?family=${encodeURIComponent(family)}&limit=${ALL}`, { signal: this.#signal });
    const entries = known && !page.entries.some(({ id }) => id === known.id) ? [known, ...page.entries] : page.entries;
    this.#material.replaceChildren(...entries.map(({ id, name }) => el("option", { value: id }, name)));
    if (known) this.#material.value = known.id;
  }

  /** The material's settings, which staff may change while somebody looks. */
  #profile(thickness) {
    this.#watched.abort();
    this.#watched = new AbortController();
    let wanted = thickness;
    return watch(
      `/materials/${this.#material.value}`,
      (material) => {
        const before = this.material;
        this.material = material;
        this.#thicknesses(wanted);
        wanted = undefined;
        if (before?.id === material.id) this.#changed();
      },
      () => {},
      this.#watched.signal,
    );
  }

  /** Those that can be cut on the machine, or those that there are at all. */
  #thicknesses(wanted = this.#thickness.value) {
    const settings = this.material.settings.filter(({ thickness_mm }) => thickness_mm !== null);
    const here = settings.filter(({ machine_id, operation }) => String(machine_id) === this.#machine.value && operation === "cut");
    const found = [...new Set((here.length ? here : settings).map(({ thickness_mm }) => Number(thickness_mm)))].sort((one, other) => one - other);
    if (wanted && !found.includes(Number(wanted))) found.push(Number(wanted));
    if (!found.length) found.push(3);
    this.#thickness.replaceChildren(...found.map((value) => el("option", { value }, mm(value))));
    this.#thickness.value = found.includes(Number(wanted)) ? Number(wanted) : found.includes(3) ? 3 : found[0];
  }
}

/** It was deleted meanwhile: another one is chosen. */
function gone(error) {
  if (Problem.is(error) && error.status) return null;
  throw error;
}
