/**
 * One module: its exports and imports, and how to start an instance of it.
 *
 * @module module
 */
import { button, code, el, field, say, size } from "./dom.js";
import { confirmed } from "./dialogs.js";
import { attempt, failureBox, notice } from "./failures.js";
import { externs, facts } from "./tables.js";

const WASI = /^wasi_/;
const SHORT_LIST = /\[[^[\]{}]*\]/g;

/**
 * @param {import("../console.js").App} app
 * @param {string} ref `sha256:…`
 * @returns {import("./tabs.js").View}
 */
export function moduleView(app, ref) {
  const body = el("div", { class: "stack" }, el("p", { class: "note" }, "…"));
  const name = el("span", {}, code(app.moduleName(ref)));
  const read = async () => {
    try {
      const about = await app.busbar.describeModule(ref);
      name.replaceChildren(code(nameOf(about.tags, ref)));
      body.replaceChildren(...content(app, about));
    } catch (e) {
      body.replaceChildren(failureBox(e));
    }
  };
  return {
    node: el(
      "article",
      {},
      el(
        "div",
        { class: "heading" },
        el("h2", { tabindex: "-1", id: "selection-title" }, el("span", { class: "kind" }, "Module"), " ", name),
        button("Remove", () => remove(app, ref), { id: "remove", class: "danger" }),
      ),
      body,
    ),
    start: read,
    stop: () => {},
  };
}

/** The name with a version if there is one; else any; else the beginning of the digest. */
export function nameOf(tags, ref) {
  return tags?.find((tag) => tag.includes(":")) ?? tags?.[0] ?? (ref ?? "").slice(0, 19);
}

function content(app, about) {
  return [
    el("p", { class: "facts" }, facts([["size", size(about.size)], ["names", about.tags?.join(", ") || undefined], ["instances", about.instances?.length]])),
    el("p", { class: "digest" }, about.module),
    el("section", { class: "card" }, el("h3", {}, "Start an instance"), startForm(app, about)),
    el("h3", {}, "Exports"),
    externs(about.exports ?? []),
    el("h3", {}, "Imports"),
    externs(about.imports ?? []),
  ];
}

function startForm(app, about) {
  const id = el("input", { id: "start-id", autocomplete: "off", spellcheck: "false", placeholder: "made up", pattern: "[A-Za-z0-9][A-Za-z0-9._\\-]{0,127}" });
  const fuel = el("input", { id: "start-fuel", inputmode: "numeric", autocomplete: "off", placeholder: "not metered" });
  const memory = el("input", { id: "start-memory", inputmode: "decimal", autocomplete: "off", placeholder: "the node's limit" });
  const rest = el("textarea", { id: "start-rest", rows: "6", spellcheck: "false", "aria-describedby": "start-rest-hint" });
  const problem = el("p", { class: "error", role: "alert", id: "start-problem" });
  const skeleton = restOf(about.imports ?? []);
  rest.value = skeleton === undefined ? "" : JSON.stringify(skeleton, null, 2).replace(SHORT_LIST, (list) => list.replace(/\s+/g, " "));
  const submit = async (event) => {
    event.preventDefault();
    say(problem, "");
    let spec;
    try {
      spec = specOf(about.module, id.value.trim(), fuel.value.trim(), memory.value.trim(), rest.value.trim());
    } catch (e) {
      return say(problem, e.message);
    }
    const started = await attempt(() => app.busbar.start(spec));
    if (started === undefined) return undefined;
    notice(`${started.id} runs on ${started.about.node}.`);
    await app.refresh();
    return app.select(`#/instance/${encodeURIComponent(started.id)}`);
  };
  return el(
    "form",
    { class: "stack", onsubmit: submit, novalidate: true },
    el("div", { class: "triple" }, field("Id", id), field("Fuel", fuel), field("Memory in MiB", memory)),
    el(
      "details",
      { open: skeleton !== undefined },
      el("summary", {}, "The rest of the spec, as JSON"),
      el("p", { class: "note", id: "start-rest-hint" }, "imports, links, wasi, limits, state, afterTrap, replicas, placement …"),
      el("label", { class: "field" }, el("span", { class: "hidden" }, "The rest of the spec"), rest),
    ),
    problem,
    el("div", { class: "buttons" }, el("button", { type: "submit", class: "primary", id: "start" }, "Start")),
  );
}

/** What the spec has to say so that the imports are there, as far as one can guess. */
function restOf(imports) {
  const functions = imports.filter(({ kind, module }) => kind === "function" && !WASI.test(module));
  const rest = {};
  if (imports.some(({ module }) => WASI.test(module))) rest.wasi = true;
  for (const { module, name, params, results } of functions.slice(0, 100)) {
    rest.imports ??= Object.create(null);
    rest.imports[module] ??= Object.create(null);
    rest.imports[module][name] = { params, results, address: "my.address" };
  }
  return Object.keys(rest).length === 0 ? undefined : rest;
}

function specOf(module, id, fuel, memory, rest) {
  const more = rest === "" ? {} : parsed(rest);
  const limits = { ...more.limits };
  if (fuel !== "") limits.fuel = whole("Fuel", fuel);
  if (memory !== "") limits.memoryBytes = mebibytes(memory);
  return { ...more, module, ...(id === "" ? {} : { id }), ...(Object.keys(limits).length === 0 ? {} : { limits }) };
}

function parsed(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch (e) {
    throw new Error(`The rest is not JSON: ${e.message}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("The rest must be a JSON object.");
  return value;
}

function whole(name, text) {
  if (!/^\d+$/.test(text)) throw new Error(`${name} must be a whole number.`);
  return Number(text);
}

function mebibytes(text) {
  const value = Number(text);
  if (!(value > 0)) throw new Error("Memory must be a number of MiB.");
  return Math.round(value * 2 ** 20);
}

async function remove(app, ref) {
  const name = app.moduleName(ref);
  if (!(await confirmed(`Remove ${name}?`, [el("p", {}, "It is removed from all nodes. A module that instances use stays.")], "Remove"))) return;
  await attempt(async () => {
    await app.busbar.removeModule(ref);
    app.select("");
    app.refresh();
  }, `${name} is removed.`);
}
