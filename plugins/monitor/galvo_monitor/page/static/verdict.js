// What to know first: the verdict, the alerts, what has changed; and what is said aloud of it.

import { byId, el, Keyed, say } from "./dom.js";
import { icon } from "./icons.js";
import { since, span } from "./units.js";

const STATUS = { ok: "OK", warning: "Warning", critical: "Critical" };
const WORDS = { firing: "", pending: "pending", resolved: "resolved" };
const ORDER = { firing: 0, pending: 1, resolved: 2 };
const RANK = { critical: 0, warning: 1, info: 2 };
const keyOf = ({ name, labels }) => JSON.stringify([name, labels]);

let now = 0;
let firing = null;
const alerts = new Keyed(byId("alerts").querySelector("ul"), () => new Item());
const insights = new Keyed(byId("insights").querySelector("ul"), () => new Item());

export function showVerdict(view) {
  now = view.at;
  const section = byId("verdict");
  if (section.dataset.status !== view.status) {
    section.dataset.status = view.status;
    byId("verdict-icon").replaceChildren(icon(view.status));
    byId("verdict").className = view.status;
  }
  say(byId("status"), STATUS[view.status] ?? view.status);
  say(byId("sentence"), view.verdict);
  const sorted = [...view.alerts].sort((a, b) => ORDER[a.state] - ORDER[b.state] || a.silenced - b.silenced || RANK[a.severity] - RANK[b.severity] || b.since - a.since);
  byId("alerts").hidden = !sorted.length;
  alerts.update(sorted.map(alertItem), ({ key }) => key);
  byId("insights").hidden = !view.insights.length;
  insights.update(view.insights.map(insightItem), ({ key }) => key);
  title(view);
  announce(view.alerts);
}

function alertItem(alert) {
  const resolved = alert.state === "resolved";
  const state = [WORDS[alert.state], alert.silenced ? "silenced" : ""].filter(Boolean).join(", ");
  return {
    key: keyOf(alert),
    kind: resolved ? "ok" : alert.severity,
    faint: alert.state !== "firing" || alert.silenced,
    badge: resolved ? "resolved" : [alert.severity, state].filter(Boolean).join(", "),
    sentence: alert.sentence,
    facts: [`${resolved ? "at" : "since"} ${since(alert.since, now)}`, resolved ? `${span(now - alert.since)} ago` : `for ${span(now - alert.since)}`],
    labels: [["alert", alert.name], ...alert.labels],
  };
}

function insightItem(insight) {
  const sure = insight.confidence >= 0.9 ? "sure" : insight.confidence >= 0.6 ? "likely" : "possible";
  return {
    key: insight.sentence.replace(/[\d.,]+/g, "#") + insight.since,
    kind: "info",
    badge: sure,
    sentence: insight.sentence,
    facts: [`since ${since(insight.since, now)}`, `${Math.round(insight.confidence * 100)} % confidence`],
    evidence: insight.evidence,
    labels: [],
  };
}

class Item {
  constructor() {
    this.icon = el("span", { class: "icon-place" });
    this.badge = el("span", { class: "badge" });
    this.sentence = el("p", { class: "sentence" });
    this.evidence = el("p", { class: "evidence" });
    this.facts = el("p", { class: "facts" });
    this.element = el("li", {}, this.icon, el("div", {}, this.sentence, this.evidence, this.facts));
  }

  update(item) {
    if (this.element.dataset.kind !== item.kind) {
      this.element.dataset.kind = item.kind;
      this.icon.replaceChildren(icon(item.kind));
    }
    this.element.classList.toggle("faint", Boolean(item.faint));
    say(this.sentence, item.sentence);
    say(this.evidence, item.evidence ?? "");
    this.evidence.hidden = !item.evidence;
    say(this.badge, item.badge);
    const texts = [...item.facts, ...item.labels.map(([name, value]) => `${name}: ${value}`)];
    if (this.facts.textContent !== item.badge + texts.join("")) {
      this.facts.replaceChildren(this.badge, ...texts.map((text) => el("span", {}, text)));
    }
  }
}

function title({ alerts, status }) {
  const count = alerts.filter(({ state, silenced }) => state === "firing" && !silenced).length;
  const text = `${count ? `(${count}) ` : ""}${STATUS[status] ?? status} · galvo`;
  if (document.title !== text) document.title = text;
}

/** Only changes of what fires are said; not what fired before the page was opened. */
function announce(all) {
  const fires = new Map(all.filter(({ state, silenced }) => state === "firing" && !silenced).map((alert) => [keyOf(alert), alert]));
  if (firing) {
    const began = [...fires].filter(([key]) => !firing.has(key)).map(([, alert]) => `${alert.severity} alert: ${alert.sentence}`);
    const ended = [...firing].filter(([key]) => !fires.has(key)).map(([, alert]) => `No longer: ${alert.sentence}`);
    if (began.length || ended.length) byId("announcer").textContent = [...began, ...ended].join(". ");
  }
  firing = fires;
}
