/**
 * Elements. What modules and guests say is only ever set as text.
 *
 * @module dom
 */

/** The element of this id. */
export const byId = (id) => document.getElementById(id);

/**
 * Makes an element. A property `onclick` is a listener, the others are attributes: `true` is there,
 * `false`, `null` and `undefined` are not. Children are nodes, text, or lists of them.
 *
 * @returns {HTMLElement}
 */
export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  Object.entries(properties).forEach(([name, value]) => set(node, name, value));
  node.append(...children.flat(9).filter((child) => child !== undefined && child !== null));
  return node;
}

function set(node, name, value) {
  if (typeof value === "function") node.addEventListener(name.slice(2), value);
  else if (value === true) node.setAttribute(name, "");
  else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
}

const SVG = "http://www.w3.org/2000/svg";

/** The same for drawings. */
export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  Object.entries(attributes).forEach(([name, value]) => node.setAttribute(name, value));
  node.append(...children);
  return node;
}

/** Sets an element's text, and touches nothing if it is that already. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Makes the children of a list those of the items: an item that stays keeps its node, and with it
 * focus.
 *
 * @param {Element} list
 * @param {object[]} items
 * @param {(item: object) => string} keyOf
 * @param {(item: object) => HTMLElement} make
 * @param {(node: HTMLElement, item: object) => void} update
 */
export function keep(list, items, keyOf, make, update) {
  const known = new Map([...list.children].map((node) => [node.dataset.key, node]));
  items.forEach((item, i) => {
    const key = keyOf(item);
    const node = known.get(key) ?? make(item);
    known.delete(key);
    node.dataset.key = key;
    update(node, item);
    if (list.children[i] !== node) list.insertBefore(node, list.children[i] ?? null);
  });
  known.forEach((node) => node.remove());
}

const INVISIBLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu;

/** A name as it may be shown: no character of it is invisible or turns the line around. */
export function shown(name, most = 200) {
  const text = String(name).replace(INVISIBLE, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

/** Text of a guest with its lines, and a dot for each character that cannot be seen. */
export const readable = (text) => text.replace(/[^\P{C}\n\t]/gu, "·");

/** A name in the typeface of code, kept apart from the words around it. */
export const code = (name, most) => el("code", { class: "name" }, shown(name, most));

/** A labelled control. */
export function field(label, control, ...more) {
  return el("label", { class: "field" }, label, " ", control, ...more);
}

export function button(text, onclick, properties = {}) {
  return el("button", { type: "button", onclick, ...properties }, text);
}

/** What goes on again and again while somebody looks, the next time after the last is done. */
export function repeated(millis, action) {
  let timer;
  let running = false;
  const next = () => {
    if (running) timer = setTimeout(turn, millis);
  };
  const turn = () => {
    if (document.hidden) next();
    else Promise.resolve(action()).finally(next);
  };
  return {
    start() {
      if (running) return;
      running = true;
      turn();
    },
    stop() {
      running = false;
      clearTimeout(timer);
    },
  };
}

const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"];

/** A size as people read it. */
export function size(bytes) {
  const unit = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  const number = bytes / 2 ** (10 * unit);
  return `${number >= 100 || Number.isInteger(number) ? Math.round(number) : number.toFixed(1)} ${UNITS[unit]}`;
}

/** A time as people read it. */
export function duration(millis) {
  if (millis < 1) return `${Math.round(millis * 1000)} µs`;
  return millis < 1000 ? `${Number(millis.toPrecision(3))} ms` : `${(millis / 1000).toFixed(2)} s`;
}

export const clock = (date) => date.toLocaleTimeString(undefined, { hour12: false });
