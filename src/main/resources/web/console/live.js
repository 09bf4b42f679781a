/**
 * What an instance has done of late: how long it took and what it cost.
 *
 * @module live
 */
import { clock, code, duration, el, repeated, svg } from "./dom.js";
import { failureBox } from "./failures.js";

const MILLIS = 1000;
const BARS = 60;
const ROWS = 20;
const WIDTH = 600;
const HEIGHT = 96;

/** @returns {import("./tabs.js").View} */
export function live(instance) {
  const area = el("div", { class: "stack" }, el("p", { class: "note" }, "…"));
  let known;
  const refresh = async () => {
    try {
      const { recent } = (await instance.ask("describe", { recent: true })).body;
      const now = JSON.stringify(recent);
      if (now !== known) area.replaceChildren(...content(recent));
      known = now;
    } catch (e) {
      known = undefined;
      area.replaceChildren(failureBox(e));
    }
  };
  const polling = repeated(MILLIS, refresh);
  return { node: area, start: polling.start, stop: polling.stop };
}

function content(recent) {
  if (!Array.isArray(recent)) return [el("p", { class: "note" }, "This node does not tell what its instances did.")];
  if (recent.length === 0) return [el("p", { class: "note" }, "Nothing has been asked of it lately.")];
  const ordered = [...recent].sort((one, other) => one.at - other.at);
  const bars = ordered.slice(-BARS);
  const metered = bars.filter(({ fuel }) => fuel !== undefined);
  return [
    graph("Time", bars, ({ micros }) => micros, (micros) => duration(micros / 1000)),
    metered.length > 0 ? graph("Fuel", metered, ({ fuel }) => fuel, String) : "",
    table(ordered.slice(-ROWS).reverse()),
  ];
}

/** Bars, oldest to newest, on a logarithmic scale: one slow operation hides no others. */
function graph(title, entries, valueOf, text) {
  const values = entries.map(valueOf);
  const most = Math.max(...values, 1);
  const median = [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
  const step = WIDTH / BARS;
  const drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", class: "graph" });
  drawing.setAttribute("aria-label", `${title} of the last ${values.length} operations: median ${text(median)}, most ${text(most)}`);
  values.forEach((value, i) => {
    const height = Math.max(2, (Math.log1p(value) / Math.log1p(most)) * (HEIGHT - 4));
    const x = WIDTH - (values.length - i) * step;
    const failed = entries[i].status === "ok" ? "" : " failed";
    drawing.append(svg("rect", { x, y: HEIGHT - height, width: step - 2, height, class: `bar-${title.toLowerCase()}${failed}` }));
  });
  return el(
    "figure",
    { class: "figure" },
    el("figcaption", {}, el("strong", {}, title), el("span", { class: "note" }, `median ${text(median)}, most ${text(most)}; logarithmic`)),
    drawing,
  );
}

function table(entries) {
  const head = ["At", "Operation", "Time", "Fuel", "Answer"];
  return el(
    "div",
    { class: "scroll" },
    el(
      "table",
      { class: "recent" },
      el("thead", {}, el("tr", {}, head.map((text) => el("th", { scope: "col" }, text)))),
      el("tbody", {}, entries.map(row)),
    ),
  );
}

function row({ at, action, function: name, micros, fuel, status }) {
  return el(
    "tr",
    {},
    el("td", { class: "number" }, clock(new Date(at))),
    el("td", {}, action, " ", name === undefined ? "" : code(name, 60)),
    el("td", { class: "number" }, duration(micros / 1000)),
    el("td", { class: "number" }, fuel === undefined ? "" : String(fuel)),
    el("td", { class: status === "ok" ? "good" : "bad" }, String(status)),
  );
}
