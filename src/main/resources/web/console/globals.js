/**
 * An instance's exported globals, as they change, and can be changed.
 *
 * @module globals
 */
import { code, el, repeated, say, shown } from "./dom.js";
import { alarm, attempt } from "./failures.js";
import { hint, isReference, parse } from "./types.js";

const MILLIS = 1000;
const MOST = 50; // each costs an operation each time

/** @returns {import("./tabs.js").View} */
export function globals(instance, exports) {
  const all = exports.filter(({ kind }) => kind === "global");
  if (all.length === 0) return { node: el("p", { class: "note" }, "It exports no global.") };
  const rows = all.slice(0, MOST).map((global) => row(instance, global));
  const refresh = async () => {
    for (const { read } of rows) await read();
  };
  const watch = repeated(MILLIS, refresh);
  const watching = el("input", {
    type: "checkbox",
    checked: true,
    id: "watch",
    onchange: () => (watching.checked ? watch.start() : watch.stop()),
  });
  const more = all.length > MOST ? el("p", { class: "note" }, `The first ${MOST} of ${all.length}.`) : "";
  return {
    node: el(
      "div",
      { class: "stack" },
      el("label", { class: "check" }, watching, " Watch, every second"),
      el(
        "div",
        { class: "scroll" },
        el(
          "table",
          { class: "globals" },
          el("thead", {}, el("tr", {}, ["Global", "Type", "Value", "Set"].map((text) => el("th", { scope: "col" }, text)))),
          el("tbody", {}, rows.map(({ node }) => node)),
        ),
      ),
      more,
    ),
    start: () => (watching.checked ? watch.start() : refresh()),
    stop: () => watch.stop(),
  };
}

function row(instance, global) {
  const value = el("output", { class: "value" }, "…");
  let known;
  const show = (now) => {
    const text = shown(now);
    if (known !== undefined && known !== text) flash(value);
    known = text;
    say(value, text);
  };
  const read = async () => {
    try {
      show(await instance.global(global.name));
    } catch (e) {
      say(value, e.name);
    }
  };
  const type = `${global.mutable ? "mutable " : ""}${global.type}`;
  const node = el(
    "tr",
    {},
    el("th", { scope: "row" }, code(global.name)),
    el("td", { class: "type" }, type),
    el("td", {}, value),
    el("td", {}, global.mutable && !isReference(global.type) ? setter(instance, global, show) : el("span", { class: "note" }, "fixed")),
  );
  return { node, read };
}

function flash(node) {
  node.classList.remove("changed");
  void node.offsetWidth; // the animation begins anew
  node.classList.add("changed");
}

function setter(instance, global, show) {
  const input = el("input", {
    "aria-label": `New value of ${shown(global.name)}`,
    placeholder: hint(global.type),
    autocomplete: "off",
  });
  const set = async (event) => {
    event.preventDefault();
    const { value, problem } = parse(global.type, input.value);
    input.setAttribute("aria-invalid", String(problem !== undefined));
    if (problem !== undefined) return alarm({ name: shown(global.name), message: problem });
    await attempt(async () => show(await instance.setGlobal(global.name, value)), `${shown(global.name)} is set.`);
  };
  return el("form", { class: "inline", onsubmit: set }, input, el("button", { type: "submit" }, "Set"));
}
