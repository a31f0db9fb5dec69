// What can be chosen: how far back charts reach, and light or dark. The range is in the address, to be sent to others.

import { byId, el } from "./dom.js";
import { icon } from "./icons.js";

const RANGES = [["15m", "15 min", 900], ["1h", "1 h", 3600], ["6h", "6 h", 21600], ["24h", "24 h", 86400], ["7d", "7 d", 604800], ["30d", "30 d", 2592000], ["90d", "90 d", 7776000]];
const THEMES = ["auto", "light", "dark"];
const DEFAULT = "15m";

/** `changed(seconds)`; gives the seconds that are chosen now. */
export function ranges(changed) {
  const address = new URL(location.href);
  const asked = address.searchParams.get("range");
  const chosen = RANGES.find(([name]) => name === asked) ?? RANGES.find(([name]) => name === DEFAULT);
  for (const [name, text, seconds] of RANGES) {
    const input = el("input", { type: "radio", name: "range", value: name, id: `range-${name}` });
    input.checked = name === chosen[0];
    input.addEventListener("change", () => {
      address.searchParams.set("range", name);
      history.replaceState(null, "", address.pathname + address.search);
      changed(seconds);
    });
    byId("ranges").append(input, el("label", { for: input.id }, text));
  }
  return chosen[2];
}

export function theme() {
  const button = byId("theme");
  let chosen = "auto";
  try {
    chosen = localStorage.getItem("galvo-theme") ?? "auto";
  } catch {
    // storage is off: it is forgotten at the next visit
  }
  const show = () => {
    document.documentElement.dataset.theme = chosen;
    button.replaceChildren(icon(chosen));
    button.setAttribute("aria-label", `Colours: ${chosen}`);
    button.title = `Colours: ${chosen}`;
  };
  button.addEventListener("click", () => {
    chosen = THEMES[(THEMES.indexOf(chosen) + 1) % THEMES.length];
    try {
      localStorage.setItem("galvo-theme", chosen);
    } catch {
      // as above
    }
    show();
  });
  show();
}
