/**
 * An instance's memory, a page of it at a time, as hex and as text.
 *
 * @module memory
 */
import { button, el, field, readable, say, size } from "./dom.js";
import { alarm, attempt, failureBox } from "./failures.js";

const PAGE = 512;

/** @returns {import("./tabs.js").View} */
export function memory(instance, exports) {
  const memories = exports.filter(({ kind }) => kind === "memory").map(({ name }) => name);
  if (memories.length === 0) return { node: el("p", { class: "note" }, "It exports no memory.") };
  const view = new MemoryView(instance, memories);
  return { node: view.node, start: () => view.read(), stop: () => {} };
}

class MemoryView {
  #instance;
  #which;
  #at = el("input", { id: "memory-offset", value: "0", autocomplete: "off", spellcheck: "false", class: "short" });
  #total = el("span", { class: "note", id: "memory-size", role: "status" });
  #area = el("div", { class: "scroll", id: "memory-area" });
  #asText = el("input", { type: "checkbox", id: "memory-text", onchange: () => this.#show() });
  #bytes = new Uint8Array();
  #before; // what the same page was when it was last read
  #offset = 0;
  #size = 0;

  constructor(instance, memories) {
    this.#instance = instance;
    this.#which = el("select", { id: "memory-which", onchange: () => this.#go(0) }, memories.map((name) => el("option", { value: name }, name)));
    this.node = el(
      "div",
      { class: "stack" },
      el(
        "form",
        { class: "bar", onsubmit: (event) => this.#typed(event) },
        memories.length > 1 ? field("Memory", this.#which) : "",
        field("Offset", this.#at),
        el("button", { type: "submit" }, "Go"),
        button("Previous", () => this.#go(this.#offset - PAGE), { id: "memory-previous" }),
        button("Next", () => this.#go(this.#offset + PAGE), { id: "memory-next" }),
        button("Refresh", () => this.read(), { id: "memory-refresh" }),
        el("label", { class: "check" }, this.#asText, " As text"),
      ),
      this.#total,
      this.#area,
      this.#writer(),
      this.#grower(),
    );
  }

  #typed(event) {
    event.preventDefault();
    const offset = number(this.#at.value);
    this.#at.setAttribute("aria-invalid", String(offset === undefined));
    if (offset === undefined) alarm({ name: "Offset", message: "must be a whole number, or 0x and digits" });
    else this.#go(offset);
  }

  #go(offset) {
    this.#offset = Math.max(0, offset);
    this.#before = undefined;
    return this.read();
  }

  async read() {
    try {
      const name = this.#which.value;
      const { bytes, pages } = await this.#instance.memory(name);
      this.#size = bytes;
      this.#offset = Math.max(0, Math.min(this.#offset, bytes - 1));
      const length = Math.min(PAGE, bytes - this.#offset);
      this.#bytes = length > 0 ? await this.#instance.read(this.#offset, length, name) : new Uint8Array();
      this.#at.value = hex(this.#offset, 1);
      say(this.#total, this.#extent(pages, length));
      this.#show();
      this.#before = this.#bytes;
    } catch (e) {
      this.#area.replaceChildren(failureBox(e));
    }
  }

  #extent(pages, length) {
    const last = Math.max(this.#offset, this.#offset + length - 1);
    return `${pages} page${pages === 1 ? "" : "s"}, ${size(this.#size)}; shown: ${this.#address(this.#offset)} to ${this.#address(last)}`;
  }

  #address(offset) {
    return hex(offset, Math.max(4, this.#size.toString(16).length));
  }

  #show() {
    const bytes = this.#bytes;
    if (this.#asText.checked) {
      const text = readable(new TextDecoder().decode(bytes));
      this.#area.replaceChildren(el("pre", { class: "text", tabindex: "0" }, text));
      return;
    }
    const width = matchMedia("(max-width: 640px)").matches ? 8 : 16;
    const rows = [];
    for (let i = 0; i < bytes.length; i += width) rows.push(this.#row(i, bytes.subarray(i, i + width)));
    const head = el("tr", {}, ["Offset", "Hex", "Text"].map((text) => el("th", { scope: "col" }, text)));
    this.#area.replaceChildren(el("table", { class: "hex" }, el("thead", {}, head), el("tbody", {}, rows)));
  }

  #row(start, bytes) {
    const cells = [...bytes].map((byte, i) => {
      const text = byte.toString(16).padStart(2, "0");
      const space = i === 0 ? "" : i === 8 ? "  " : " ";
      return [space, this.#isNew(start + i, byte) ? el("mark", {}, text) : text];
    });
    const zero = bytes.every((byte) => byte === 0);
    return el(
      "tr",
      { class: zero ? "zero" : undefined },
      el("th", { scope: "row" }, this.#address(this.#offset + start)),
      el("td", {}, cells),
      el("td", {}, [...bytes].map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·")).join("")),
    );
  }

  #isNew(index, byte) {
    return this.#before !== undefined && this.#before.length > index && this.#before[index] !== byte;
  }

  #writer() {
    const offset = el("input", { id: "write-offset", value: "0", autocomplete: "off", class: "short" });
    const kind = el("select", { id: "write-kind" }, el("option", { value: "text" }, "text"), el("option", { value: "hex" }, "hex"));
    const data = el("input", { id: "write-data", autocomplete: "off", spellcheck: "false" });
    const write = async (event) => {
      event.preventDefault();
      const at = number(offset.value);
      const bytes = kind.value === "text" ? data.value : fromHex(data.value);
      if (at === undefined) return alarm({ name: "Write", message: "the offset must be a whole number" });
      if (bytes === undefined) return alarm({ name: "Write", message: "hex is pairs of digits: 00 ff 7f" });
      await attempt(() => this.#instance.write(at, bytes, this.#which.value), (written) => `${written} bytes written.`);
      return this.read();
    };
    return el(
      "form",
      { class: "bar", onsubmit: write, "aria-label": "Write to memory" },
      field("Write at", offset),
      field("as", kind),
      el("label", { class: "field wide" }, "Data ", data),
      el("button", { type: "submit", id: "write" }, "Write"),
    );
  }

  #grower() {
    const pages = el("input", { id: "grow-pages", value: "1", inputmode: "numeric", autocomplete: "off", class: "short" });
    const grow = async (event) => {
      event.preventDefault();
      await attempt(() => this.#instance.grow(Number(pages.value), this.#which.value), (previous) => `It had ${previous} pages.`);
      return this.read();
    };
    return el("form", { class: "bar", onsubmit: grow, "aria-label": "Grow memory" }, field("Grow by pages", pages), el("button", { type: "submit" }, "Grow"));
  }
}

function number(text) {
  return /^\s*(\d+|0x[\da-f]+)\s*$/i.test(text) ? Number(text) : undefined;
}

const hex = (value, digits) => `0x${value.toString(16).padStart(digits, "0")}`;

function fromHex(text) {
  const digits = text.replace(/[\s,]|0x/gi, "");
  if (!/^([\da-f]{2})*$/i.test(digits)) return undefined;
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}
