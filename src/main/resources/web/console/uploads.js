/**
 * Modules that are chosen or dropped are put, one after the other.
 *
 * @module uploads
 */
import { byId, el, say, shown } from "./dom.js";
import { alarm, notice } from "./failures.js";

const SHOWN_MILLIS = 4000;

/** @param {import("../console.js").App} app */
export function uploads(app) {
  const drop = byId("drop");
  const file = byId("file");
  file.onchange = async () => {
    const files = [...file.files];
    file.value = "";
    await putAll(app, files);
  };
  ["dragenter", "dragover"].forEach((name) =>
    document.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    }),
  );
  document.addEventListener("dragleave", (event) => event.relatedTarget === null && drop.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    putAll(app, [...event.dataTransfer.files]);
  });
}

async function putAll(app, files) {
  const named = files.length === 1 ? byId("put-name").value.trim() : "";
  const version = byId("put-version").value.trim();
  for (const file of files) {
    const name = named || nameOf(file.name);
    await put(app, file, version === "" ? name : `${name}:${version}`);
  }
}

/** A file's name without its ending, and with nothing in it that names must not have. */
function nameOf(file) {
  const name = file.replace(/\.(wasm|wat)$/i, "").replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "");
  return name.slice(0, 128) || "module";
}

async function put(app, file, name) {
  const bar = el("progress", { max: String(file.size), value: "0", "aria-label": `Sending ${shown(file.name)}` });
  const text = el("span", { class: "note" }, "sending");
  const row = el("li", {}, el("span", { class: "name" }, shown(file.name)), bar, text);
  byId("uploads").append(row);
  try {
    const about = await app.busbar.put(file, name, (sent, total) => {
      bar.max = total;
      bar.value = sent;
      if (sent === total) say(text, "compiling");
    });
    bar.value = bar.max;
    say(text, "done");
    notice(`${name} is put.`);
    byId("put-name").value = "";
    byId("put-version").value = "";
    await app.refresh();
    app.select(`#/module/${encodeURIComponent(about.module)}`);
    setTimeout(() => row.remove(), SHOWN_MILLIS);
  } catch (e) {
    row.remove();
    alarm(e);
  }
}
