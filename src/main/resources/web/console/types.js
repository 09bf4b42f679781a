/**
 * The types of WebAssembly: how they are written, and what is typed for them.
 *
 * @module types
 */

const WHOLE = /^[+-]?(\d+|0x[\da-f]+)$/i;

const HINTS = {
  i32: "whole, −2³¹ to 2³¹−1",
  i64: "whole, −2⁶³ to 2⁶³−1",
  f32: "number, NaN, Infinity",
  f64: "number, NaN, Infinity",
  v128: "0x and 32 digits, or whole",
};

/** What may be typed for such a value. */
export const hint = (type) => HINTS[type] ?? "null";

export const isReference = (type) => !(type in HINTS);

/**
 * What was typed, as a value of this type.
 *
 * @returns {{value: any} | {problem: string}}
 */
export function parse(type, text) {
  const typed = text.trim();
  if (isReference(type)) return { value: null };
  if (typed === "") return { problem: `needs a value: ${hint(type)}` };
  if (type === "i32") return whole(typed, 32, Number);
  if (type === "i64") return whole(typed, 64, (value) => value);
  return type === "v128" ? vector(typed) : float(type, typed);
}

function bigInt(typed) {
  if (!WHOLE.test(typed)) return undefined;
  const digits = BigInt(typed.replace(/^[+-]/, ""));
  return typed.startsWith("-") ? -digits : digits;
}

function whole(typed, bits, convert) {
  const value = bigInt(typed);
  if (value === undefined) return { problem: "must be a whole number" };
  if (BigInt.asIntN(bits, value) !== value) return { problem: `does not fit i${bits}` };
  return { value: convert(value) };
}

function vector(typed) {
  const value = bigInt(typed);
  if (value === undefined) return { problem: "must be 0x and digits, or a whole number" };
  if (BigInt.asUintN(128, value) !== value) return { problem: "does not fit v128" };
  return { value: `0x${value.toString(16).padStart(32, "0")}` };
}

function float(type, typed) {
  const special = /^([+-]?)(nan|inf(?:inity)?)$/i.exec(typed);
  if (special) {
    const infinity = special[1] === "-" ? -Infinity : Infinity;
    return { value: special[2].toLowerCase() === "nan" ? NaN : infinity };
  }
  const value = Number(typed);
  if (Number.isNaN(value)) return { problem: "must be a number" };
  if (!Number.isFinite(type === "f32" ? Math.fround(value) : value)) {
    return { problem: `does not fit ${type}` };
  }
  return { value };
}

/** `(i32, i32) → i32` */
export function signature({ params, results }) {
  const right = results.length === 1 ? results[0] : `(${results.join(", ")})`;
  return `(${params.join(", ")}) → ${results.length === 0 ? "nothing" : right}`;
}

/** The type of an export or import, as one line. */
export function describe(extern) {
  switch (extern.kind) {
    case "function":
      return signature(extern);
    case "global":
      return `${extern.mutable ? "mutable " : ""}${extern.type}`;
    case "memory":
    case "table":
      return range(extern);
    default:
      return "";
  }
}

function range({ kind, type, minimum, maximum }) {
  const unit = kind === "memory" ? "pages" : (type ?? "elements");
  return `${minimum}${maximum === undefined ? " or more" : ` to ${maximum}`} ${unit}`;
}
