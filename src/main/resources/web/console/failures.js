/**
 * What went wrong, shown in full.
 *
 * @module failures
 */
import { byId, el, shown } from "./dom.js";

const SECONDS_SHOWN = 6;

/** A failure with everything that was told of it. */
export function failureBox(error) {
  const details = error.details ?? {};
  return el(
    "div",
    { class: "failure" },
    el("p", { class: "failure-name" }, error.name, error.code ? el("span", { class: "count" }, ` ${error.code}`) : ""),
    el("p", { class: "failure-text" }, shown(error.message, 2000)),
    frames(details.frames),
    details.cause && el("p", { class: "note" }, `cause: ${shown(JSON.stringify(details.cause), 2000)}`),
    error.details && el("details", {}, el("summary", {}, "All of it"), json(details)),
  );
}

function frames(list) {
  if (!Array.isArray(list) || list.length === 0) return undefined;
  return el("ol", { class: "frames" }, list.slice(0, 100).map((frame) => el("li", {}, shown(frame))));
}

/** JSON as text. */
export function json(value) {
  const text = JSON.stringify(value, null, 2) ?? "";
  const most = 100_000;
  return el("pre", { class: "json", tabindex: "0" }, text.length > most ? `${text.slice(0, most)}…` : text);
}

let timer;

/** Says that something was done. */
export function notice(text) {
  byId("alert").replaceChildren();
  byId("notice").replaceChildren(el("p", { class: "toast" }, text));
  clearTimeout(timer);
  timer = setTimeout(() => byId("notice").replaceChildren(), SECONDS_SHOWN * 1000);
}

/** Says that something failed, until somebody has read it. */
export function alarm(error) {
  const close = el("button", { type: "button", class: "quiet small", onclick: () => byId("alert").replaceChildren() }, "Dismiss");
  byId("alert").replaceChildren(el("div", { class: "toast bad" }, failureBox(error), close));
}

/** Runs an action; says what was done, or what failed. */
export async function attempt(action, done) {
  try {
    const result = await action();
    if (done) notice(typeof done === "function" ? done(result) : done);
    return result;
  } catch (e) {
    alarm(e);
    return undefined;
  }
}
