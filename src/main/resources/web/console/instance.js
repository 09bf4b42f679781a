/**
 * One instance: what it is, and all that can be done with it.
 *
 * @module instance
 */
import { button, code, el, field, repeated } from "./dom.js";
import { calls } from "./calls.js";
import { confirmed } from "./dialogs.js";
import { attempt, failureBox, json } from "./failures.js";
import { globals } from "./globals.js";
import { live } from "./live.js";
import { memory } from "./memory.js";
import { output } from "./output.js";
import { tabs } from "./tabs.js";
import { externs, facts } from "./tables.js";

const MILLIS = 3000;

/**
 * @param {import("../console.js").App} app
 * @param {string} id
 * @returns {import("./tabs.js").View}
 */
export function instanceView(app, id) {
  const instance = app.busbar.instance(id);
  const state = el("p", { class: "facts", id: "instance-state" });
  const body = el("div", {}, el("p", { class: "note" }, "…"));
  let shownFor; // the module and life that the tabs are made for
  let views;

  const refresh = async () => {
    try {
      const about = await instance.describe();
      state.replaceChildren(...facts(stateOf(app, about)));
      const key = `${about.module} ${about.spec?.wasi !== undefined}`;
      if (shownFor !== key) build(about);
      shownFor = key;
    } catch (e) {
      if (e.name === "CONNECTION_LOST" || e.name === "CLOSED") return;
      views?.stop();
      shownFor = views = undefined;
      state.replaceChildren();
      body.replaceChildren(failureBox(e));
    }
  };

  const build = (about) => {
    const last = views?.current();
    views?.stop();
    views = tabs(tabsOf(instance, about), last);
    body.replaceChildren(views.node);
    views.start();
  };

  const polling = repeated(MILLIS, refresh);
  return {
    node: el(
      "article",
      {},
      el(
        "div",
        { class: "heading" },
        el("h2", { tabindex: "-1", id: "selection-title" }, el("span", { class: "kind" }, "Instance"), " ", code(id)),
        button("Move", () => move(app, instance), { id: "move" }),
        button("Stop", () => stop(app, instance), { id: "stop", class: "danger" }),
      ),
      state,
      body,
    ),
    start: polling.start,
    stop: () => {
      polling.stop();
      views?.stop();
    },
  };
}

function stateOf(app, about) {
  const { counters = {}, memory: size } = about;
  return [
    ["node", about.node],
    ["module", app.moduleName(about.module)],
    ["state", about.parked ? `parked: ${about.parked}` : about.running ? "running" : "idle"],
    ["waiting", about.queue],
    ["epoch", about.epoch],
    ["pages", size?.pages],
    ["fuel", about.fuel],
    ["operations", counters.operations],
    ["failures", counters.failures],
    ["traps", counters.traps],
  ];
}

function tabsOf(instance, about) {
  const exports = about.exports ?? [];
  const wasi = about.spec?.wasi;
  return [
    { id: "call", label: "Call", view: calls(instance, exports) },
    { id: "globals", label: "Globals", view: globals(instance, exports) },
    { id: "memory", label: "Memory", view: memory(instance, exports) },
    { id: "live", label: "Live", view: live(instance) },
    ...(wasi === undefined ? [] : [{ id: "output", label: "Output", view: output(instance, wasi === true ? {} : wasi) }]),
    { id: "details", label: "Details", view: details(instance) },
  ];
}

function details(instance) {
  const area = el("div", { class: "stack" });
  const read = async () => {
    try {
      const about = await instance.describe();
      area.replaceChildren(
        el("h3", {}, "Exports"),
        externs(about.exports ?? []),
        el("h3", {}, "Imports"),
        externs(about.imports ?? []),
        el("h3", {}, "All of it"),
        json(about),
      );
    } catch (e) {
      area.replaceChildren(failureBox(e));
    }
  };
  return { node: area, start: read };
}

async function stop(app, instance) {
  const text = el("p", {}, "What is in its memory is lost.");
  if (!(await confirmed(`Stop ${instance.id}?`, [text], "Stop"))) return;
  await attempt(async () => {
    await instance.stop();
    app.select("");
    app.refresh();
  }, `${instance.id} is stopped.`);
}

async function move(app, instance) {
  const names = app.nodes.map(({ node }) => node);
  const where = el("select", { id: "move-node" }, el("option", { value: "" }, "wherever it suits"), names.map((name) => el("option", { value: name }, name)));
  const fresh = el("input", { type: "checkbox", id: "move-fresh" });
  const body = [
    field("To node", where),
    el("label", { class: "check" }, fresh, " Even if what is in its memory is lost"),
  ];
  if (!(await confirmed(`Move ${instance.id}`, body, "Move"))) return;
  const how = fresh.checked ? { fresh: true } : {};
  await attempt(() => instance.move(where.value || undefined, how), `${instance.id} has moved.`);
  app.refresh();
}
