/**
 * What a WASI guest writes, and what it is given to read.
 *
 * @module output
 */
import { button, el, readable } from "./dom.js";
import { attempt } from "./failures.js";

const MOST = 500; // pieces shown

/**
 * @param {object} instance of the client
 * @param {object} wasi of its spec
 * @returns {import("./tabs.js").View}
 */
export function output(instance, wasi) {
  const log = el("pre", { class: "text output", role: "log", "aria-live": "off", "aria-label": "Output", tabindex: "0", id: "output" });
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  const show = (stream, bytes) => {
    const text = decoders[stream].decode(bytes, { stream: true }); // a piece may end in a character
    if (text === "") return;
    log.append(el("span", { class: stream }, readable(text)));
    while (log.childNodes.length > MOST) log.firstChild.remove();
    log.scrollTop = log.scrollHeight;
  };
  const read = async (stream) => {
    const { bytes } = await instance.readStdout({ stream });
    show(stream, bytes);
  };
  const readAll = () =>
    attempt(async () => {
      await read("stdout");
      await read("stderr");
    });
  let end;
  const start = async () => {
    if (wasi.publish) end = await attempt(() => instance.onStdio(({ stream, bytes }) => show(stream, bytes)));
    else await readAll();
  };
  const text = wasi.publish ? "As it is written." : "What nobody has read yet. Reading takes it away.";
  return {
    node: el(
      "div",
      { class: "stack" },
      el("div", { class: "bar middle" }, el("span", { class: "note" }, text), wasi.publish ? "" : button("Read", readAll), button("Clear", () => log.replaceChildren())),
      log,
      wasi.stdinOpen ? stdin(instance) : "",
    ),
    start,
    stop: () => end?.(),
  };
}

function stdin(instance) {
  const input = el("input", { id: "stdin", autocomplete: "off" });
  const write = async (event) => {
    event.preventDefault();
    await attempt(() => instance.writeStdin(`${input.value}\n`), (written) => `${written} bytes written to stdin.`);
    input.value = "";
  };
  return el(
    "form",
    { class: "bar", onsubmit: write },
    el("label", { class: "field wide" }, "A line for stdin ", input),
    el("button", { type: "submit" }, "Send"),
    button("Close stdin", () => attempt(() => instance.closeStdin(), "stdin is closed.")),
  );
}
