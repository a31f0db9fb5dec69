// Elements from names and text. Text stays text: nothing here, or anywhere on this page, reads HTML.

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

export function el(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

export function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false && value !== "") element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/** Sets text only where it differs, so that a selection survives. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** The children of an element by key: each is made once, updated, and kept in the items' order. */
export class Keyed {
  #parent;
  #make;
  #known = new Map();

  /** `make(item)` gives something with an `element` and `update(item)`. */
  constructor(parent, make) {
    this.#parent = parent;
    this.#make = make;
  }

  update(items, keyOf) {
    const left = this.#known;
    const known = new Map();
    let after = null;
    for (const item of items) {
      let key = keyOf(item);
      while (known.has(key)) key += "'";
      let child = left.get(key);
      left.delete(key);
      child ??= this.#make(item);
      known.set(key, child);
      child.update(item);
      const place = after ? after.nextSibling : this.#parent.firstChild;
      if (child.element !== place) this.#parent.insertBefore(child.element, place);
      after = child.element;
    }
    this.#known = known;
    for (const child of left.values()) {
      child.element.remove();
      child.end?.();
    }
  }

  [Symbol.iterator]() {
    return this.#known.values();
  }
}
