// Elements from names and text. Text stays text: nothing here, or anywhere on this page, reads HTML.

export const byId = (id) => document.getElementById(id);

/** Attributes that are functions listen: `onclick`. False, null and undefined are left out, true is set. */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
  return element;
}

/** Sets text only where it differs, so that a selection survives. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Tells those who do not see. */
export function announce(text) {
  say(byId("announcer"), text);
}

let numbers = 0;
export const fresh = (name) => `${name}-${++numbers}`;
