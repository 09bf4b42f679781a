/**
 * What modules and instances say of themselves, as tables and short lists.
 *
 * @module tables
 */
import { code, el, shown } from "./dom.js";
import { describe } from "./types.js";

const MOST = 1000;

/** Exports or imports with their types. */
export function externs(list) {
  if (list.length === 0) return el("p", { class: "note" }, "None.");
  const rows = list.slice(0, MOST).map((extern) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, extern.module === undefined ? "" : [code(extern.module), " "], code(extern.name)),
      el("td", {}, extern.kind),
      el("td", { class: "type" }, describe(extern)),
    ),
  );
  const head = el("tr", {}, ["Name", "Kind", "Type"].map((text) => el("th", { scope: "col" }, text)));
  const table = el("div", { class: "scroll" }, el("table", {}, el("thead", {}, head), el("tbody", {}, rows)));
  return list.length > MOST ? el("div", {}, table, el("p", { class: "note" }, `The first ${MOST} of ${list.length}.`)) : table;
}

/** Names and values, those that are there. */
export function facts(pairs) {
  return pairs
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => el("span", { class: "fact" }, el("span", { class: "fact-name" }, name), " ", el("span", { class: "fact-value" }, shown(value))));
}
