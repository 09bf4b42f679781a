/**
 * Calls an exported function, by a form made of its signature.
 *
 * @module calls
 */
import { button, duration, el, field, shown } from "./dom.js";
import { failureBox } from "./failures.js";
import { hint, isReference, parse, signature } from "./types.js";

/**
 * @param {object} instance of the client
 * @param {object[]} exports with their types
 * @returns {import("./tabs.js").View}
 */
export function calls(instance, exports) {
  const functions = exports.filter(({ kind }) => kind === "function");
  if (functions.length === 0) return { node: el("p", { class: "note" }, "It exports no function.") };
  const select = el(
    "select",
    { id: "call-function", onchange: () => choose(functions[select.selectedIndex]) },
    functions.map((f) => el("option", {}, `${shown(f.name)} ${signature(f)}`)),
  );
  const form = el("div");
  const outcome = el("div", { class: "outcome", role: "status", id: "outcome" });
  const choose = (f) => {
    outcome.replaceChildren();
    form.replaceChildren(callForm(instance, f, outcome));
  };
  choose(functions[0]);
  return { node: el("div", { class: "stack" }, field("Function", select), form, outcome) };
}

function callForm(instance, f, outcome) {
  const params = f.params.map((type, i) => param(type, i));
  const timeout = bound("timeout", "Timeout in ms", "5000");
  const fuel = bound("fuel", "Fuel at most", "as the instance has");
  const call = el("button", { type: "submit", class: "primary" }, "Call");
  const cancel = button("Cancel", () => abort.abort(), { hidden: true });
  let abort;

  const run = async () => {
    const inputs = [...params, timeout, fuel];
    const wrong = inputs.filter((input) => !input.check());
    if (wrong.length > 0) return wrong[0].focus();
    abort = new AbortController();
    call.disabled = true;
    cancel.hidden = false;
    outcome.replaceChildren(el("p", { class: "note" }, "running"));
    const options = { timeout: timeout.value(), fuel: fuel.value(), signal: abort.signal };
    outcome.replaceChildren(await outcomeOf(instance.with(options), f, params.map((p) => p.value())));
    call.disabled = false;
    cancel.hidden = true;
  };

  return el(
    "form",
    {
      class: "stack",
      novalidate: true,
      onsubmit: (event) => {
        event.preventDefault();
        run();
      },
    },
    el("fieldset", {}, el("legend", { class: "hidden" }, `Params of ${shown(f.name)}`), params.map(({ node }) => node)),
    el("details", {}, el("summary", {}, "Limits of this call"), el("div", { class: "pair" }, timeout.node, fuel.node)),
    el("div", { class: "buttons" }, call, cancel),
  );
}

async function outcomeOf(instance, f, params) {
  const began = performance.now();
  const took = () => `in ${duration(performance.now() - began)}`;
  try {
    const { body, fuel } = await instance.ask("call", { function: f.name, params: params.map(jsonValue) });
    const note = fuel === undefined ? took() : `${took()}, ${fuel} fuel`;
    return el("div", { class: "success" }, results(f, body.results), el("p", { class: "note" }, note));
  } catch (e) {
    return el("div", {}, failureBox(e), el("p", { class: "note" }, took()));
  }
}

function jsonValue(value) {
  if (typeof value === "bigint") return String(value);
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

function results(f, values) {
  if (values.length === 0) return el("p", { class: "result" }, "done, no result");
  return el(
    "p",
    { class: "result" },
    values.map((value, i) => [el("output", { class: "value" }, shown(value)), el("span", { class: "type" }, f.results[i] ?? "")]),
  );
}

/** An input for a param, with what is wrong with it below. */
function param(type, index) {
  const input = el("input", {
    id: `param-${index}`,
    autocomplete: "off",
    spellcheck: "false",
    placeholder: hint(type),
    disabled: isReference(type),
    value: isReference(type) ? "null" : undefined,
    inputmode: /^i/.test(type) ? "numeric" : "text",
  });
  return checked(input, `param ${index} `, type, (text) => parse(type, text));
}

/** An optional whole number. */
function bound(id, label, placeholder) {
  const input = el("input", { id: `call-${id}`, inputmode: "numeric", autocomplete: "off", placeholder });
  return checked(input, label, "", (text) =>
    /^\d*$/.test(text.trim()) ? { value: text.trim() === "" ? undefined : Number(text) } : { problem: "must be a whole number, 0 or more" },
  );
}

function checked(input, label, type, read) {
  const problem = el("span", { class: "error", id: `${input.id}-problem` });
  input.setAttribute("aria-describedby", problem.id);
  const check = () => {
    const read_ = read(input.value);
    input.setAttribute("aria-invalid", String(read_.problem !== undefined));
    problem.textContent = read_.problem ?? "";
    return read_.problem === undefined;
  };
  input.addEventListener("input", () => input.getAttribute("aria-invalid") === "true" && check());
  input.addEventListener("blur", () => input.value !== "" && check());
  return {
    node: field([label, el("span", { class: "type" }, type)], input, problem),
    check,
    value: () => read(input.value).value,
    focus: () => input.focus(),
  };
}
