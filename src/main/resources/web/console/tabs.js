/**
 * Views of which one is shown; arrow keys go from one to the next.
 *
 * @module tabs
 */
import { button, el } from "./dom.js";

/**
 * @typedef {object} View
 * @property {Element} node
 * @property {() => void} [start] it is shown from now on
 * @property {() => void} [stop] it is no longer
 */

/**
 * @param {Array<{id: string, label: string, view: View}>} tabs at least one
 * @param {string} first the id of the one that is shown at first
 * @returns {View & {current: () => string}}
 */
export function tabs(tabs, first) {
  let current;
  const buttons = new Map();

  const select = (tab) => {
    if (current === tab) return;
    current?.view.stop?.();
    current = tab;
    tabs.forEach((other) => {
      const chosen = other === tab;
      const control = buttons.get(other);
      control.setAttribute("aria-selected", String(chosen));
      control.tabIndex = chosen ? 0 : -1;
      panels.get(other).hidden = !chosen;
    });
    tab.view.start?.();
  };

  const step = (event) => {
    const to = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const at = tabs.indexOf(current);
    const next = Number.isFinite(to) ? (at + to + tabs.length) % tabs.length : to < 0 ? 0 : tabs.length - 1;
    select(tabs[next]);
    buttons.get(tabs[next]).focus();
  };

  tabs.forEach((tab) => {
    const properties = { role: "tab", id: `tab-${tab.id}`, "aria-controls": `panel-${tab.id}`, class: "tab" };
    buttons.set(tab, button(tab.label, () => select(tab), properties));
  });
  const panels = new Map(
    tabs.map((tab) => [
      tab,
      el("div", { role: "tabpanel", id: `panel-${tab.id}`, "aria-labelledby": `tab-${tab.id}`, class: "panel" }, tab.view.node),
    ]),
  );
  const bar = el("div", { role: "tablist", class: "tabs", "aria-label": "Views", onkeydown: step }, [...buttons.values()]);
  const start = tabs.find((tab) => tab.id === first) ?? tabs[0];
  return {
    node: el("div", {}, bar, [...panels.values()]),
    start: () => select(start),
    stop: () => current?.view.stop?.(),
    current: () => current?.id,
  };
}
