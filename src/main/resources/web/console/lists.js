/**
 * The lists of nodes, modules and instances.
 *
 * @module lists
 */
import { button, byId, code, el, keep, say, shown, size } from "./dom.js";
import { confirmed } from "./dialogs.js";
import { attempt } from "./failures.js";

const MOST = 200; // rows of one list

/** Shows what the app knows. */
export function showLists(app) {
  showNodes(app);
  showModules(app);
  showInstances(app);
}

function note(list, text) {
  const node = byId(`${list}-note`);
  node.hidden = text === "";
  say(node, text);
}

// nodes

function showNodes(app) {
  say(byId("nodes-count"), app.nodes.length > 0 ? String(app.nodes.length) : "");
  note("nodes", app.refusal("nodes"));
  keep(byId("nodes"), app.nodes.slice(0, MOST), ({ node }) => node, (about) => nodeRow(app, about), updateNode);
}

function nodeRow(app, { node }) {
  const drain = button("Drain", () => drainNode(app, node), { class: "quiet small", "aria-label": `Drain ${node}` });
  drain.hidden = app.nodes.length < 2;
  return el(
    "li",
    { class: "row" },
    el("span", { class: "dot" }),
    el("span", { class: "row-main" }, code(node, 60), el("span", { class: "row-more" })),
    drain,
  );
}

function updateNode(row, about) {
  const state = stateOf(about);
  row.querySelector(".dot").className = `dot ${state}`;
  const labels = Object.entries(about.labels ?? {}).filter(([name]) => name !== "node").map(([name, value]) => `${name} ${value}`);
  const { reserved, limit } = about.memory ?? {};
  const memory = reserved === undefined ? [] : [`${size(reserved)} of ${size(limit)}`];
  const words = [state, counted(about.instances, "instance"), ...memory, ...labels];
  say(row.querySelector(".row-more"), words.filter(Boolean).map((word) => shown(word)).join(" · "));
}

function stateOf(about) {
  if (about.healthy === false) return "unhealthy";
  return about.state ?? "open";
}

const counted = (number, word) => (number === undefined ? "" : `${number} ${word}${number === 1 ? "" : "s"}`);

async function drainNode(app, node) {
  const fresh = el("input", { type: "checkbox" });
  const body = [
    el("p", {}, "All its instances move to other nodes, and the node ends."),
    el("label", { class: "check" }, fresh, " Even if what is in their memories is lost"),
  ];
  if (!(await confirmed(`Drain ${node}?`, body, "Drain"))) return;
  await attempt(() => app.busbar.drain(node, fresh.checked ? { fresh: true } : {}), `${node} is drained.`);
  app.refresh();
}

// modules

function showModules(app) {
  say(byId("modules-count"), String(app.modules.length));
  note("modules", app.refusal("modules") || (app.modules.length > MOST ? `The first ${MOST} are shown.` : ""));
  keep(byId("modules"), app.modules.slice(0, MOST), ({ module }) => module, ({ module }) => link(`#/module/${encodeURIComponent(module)}`), (row, about) => {
    const used = about.instances?.length ?? 0;
    update(app, row, app.moduleName(about.module), [size(about.size), used > 0 ? counted(used, "instance") : ""]);
  });
}

// instances

function showInstances(app) {
  const wanted = byId("filter").value.trim().toLowerCase();
  const matches = app.instances.filter((about) => wanted === "" || haystack(app, about).includes(wanted));
  say(byId("instances-count"), wanted === "" ? String(app.instances.length) : `${matches.length} of ${app.instances.length}`);
  const more = matches.length > MOST ? `The first ${MOST} are shown: filter for others.` : "";
  note("instances", app.refusal("instances") || (app.instances.length === 0 ? "None yet. Choose a module and start one." : more));
  keep(byId("instances"), matches.slice(0, MOST), keyOf, ({ id }) => link(`#/instance/${encodeURIComponent(id)}`), (row, about) => {
    update(app, row, about.id, [app.moduleName(about.module), nodesOf(about), about.parked ? "parked" : ""]);
  });
}

const keyOf = ({ id, node }) => `${id} ${node}`;

const nodesOf = ({ node, nodes }) => node ?? nodes?.join(", ") ?? "";

const haystack = (app, about) => `${about.id} ${app.moduleName(about.module)} ${nodesOf(about)}`.toLowerCase();

function link(href) {
  return el("li", { class: "row" }, el("a", { href, class: "row-link" }, el("span", { class: "name" }), el("span", { class: "row-more" })));
}

function update(app, row, name, more) {
  const anchor = row.firstChild;
  say(anchor.firstChild, shown(name, 80));
  say(anchor.lastChild, more.filter(Boolean).map((word) => shown(word, 80)).join(" · "));
  if (anchor.getAttribute("href") === app.selected) anchor.setAttribute("aria-current", "true");
  else anchor.removeAttribute("aria-current");
}
