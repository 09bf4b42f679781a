/**
 * What happens to modules, instances and nodes, as it happens.
 *
 * @module events
 */
import { byId, clock, el, say, shown } from "./dom.js";

const MOST = 200;

/** Wires the list; what it gives adds an event. */
export function eventList() {
  const list = byId("events");
  const pause = byId("events-pause");
  let count = 0;
  const isPaused = () => pause.getAttribute("aria-pressed") === "true";
  const tell = () => {
    say(byId("events-count"), count === 0 ? "" : String(count));
    byId("events-note").hidden = list.childElementCount > 0;
  };
  pause.onclick = () => pause.setAttribute("aria-pressed", String(!isPaused()));
  byId("events-clear").onclick = () => {
    list.replaceChildren();
    count = 0;
    tell();
  };
  return (event, missed) => {
    count += 1 + missed;
    if (!isPaused()) {
      if (missed > 0) list.prepend(entry({ event: "missed", count: missed }));
      list.prepend(entry(event));
      while (list.childElementCount > MOST) list.lastChild.remove();
    }
    tell();
  };
}

function entry({ event, ...more }) {
  const rest = Object.entries(more).map(([name, value]) => el("span", { class: "fact" }, el("span", { class: "fact-name" }, shown(name, 40)), " ", shortened(value)));
  return el("li", {}, el("time", { class: "number" }, clock(new Date())), el("strong", {}, shown(event, 60)), rest);
}

function shortened(value) {
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return shown(text.startsWith("sha256:") ? text.slice(0, 19) : text, 120);
}
