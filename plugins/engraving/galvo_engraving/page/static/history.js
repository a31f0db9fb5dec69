// What becomes of a project: its jobs, and what it was before.

import { Problem, told } from "./api.js";
import { announce, el } from "./dom.js";
import { mm, moment, span, words } from "./format.js";
import { notice, telling } from "./notices.js";
import { table } from "./tables.js";
import { watch } from "./watch.js";

/** Its jobs, which `show(project)` brings up to date, and a button for another one. */
export class Jobs {
  element = el("section", { class: "card stack" });
  #rows = el("div");
  #wrong = el("div", { role: "alert" });

  constructor(id) {
    const order = acting(() => told(`/projects/${id}/jobs`, { method: "POST", json: {} }), "It waits for a machine.", this.#wrong);
    this.element.append(el("h2", {}, "Jobs"), this.#rows, this.#wrong, el("div", { class: "actions" }, el("button", { type: "button", class: "quiet", onclick: order }, "Order it")));
  }

  show({ jobs }) {
    const rows = jobs.map((one) => [words(one.machine), words(one.status), moment(one.queued_at), span(one.seconds)]);
    this.#rows.replaceChildren(rows.length ? table("", ["Machine", "State", "Ordered", "Took"], rows, "Jobs") : el("p", { class: "muted" }, "It has not been ordered yet."));
  }
}

/** What it was before each change, to go back to. */
export function earlier(id, signal) {
  const place = el("details", { class: "section" }, el("summary", {}, "Earlier states"));
  const rows = el("div", { class: "inner" });
  const wrong = el("div", { role: "alert" });
  place.append(rows, wrong);

  function show({ entries }) {
    const restore = (revision) => acting(() => told(`/projects/${id}/revisions/${revision}/restore`, { method: "POST" }), "It is again what it was.", wrong);
    const made = entries.map((one) => [
      one.name,
      mm(one.thickness_mm),
      moment(one.saved_at),
      el("button", { type: "button", class: "quiet small", "aria-label": `Restore number ${one.revision}`, onclick: restore(one.revision) }, "Restore"),
    ]);
    rows.replaceChildren(made.length ? table("", ["Name", "Thickness", "Until", ""], made, "Earlier states") : el("p", { class: "muted" }, "It has not been changed yet."));
  }

  place.addEventListener("toggle", () => watch(`/projects/${id}/revisions`, show, telling(wrong), signal), { once: true });
  return place;
}

function acting(act, done, wrong) {
  return async () => {
    wrong.replaceChildren();
    try {
      await act();
      announce(done);
    } catch (error) {
      if (!Problem.is(error)) throw error;
      wrong.replaceChildren(notice(error.message));
    }
  };
}
