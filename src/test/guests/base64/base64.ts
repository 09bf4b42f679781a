// Bytes to base64 and back, in AssemblyScript.

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

let live: i32 = 0;

export function alloc(size: i32): usize {
  live++;
  return heap.alloc(size);
}

export function dealloc(block: usize, size: i32): void {
  live--;
  heap.free(block);
}

/** Blocks that are not freed yet. */
export function blocks(): i32 {
  return live;
}

function answer(block: usize, length: i32): u64 {
  return ((block as u64) << 32) | (length as u64);
}

function put(at: usize, digit: u32): void {
  store<u8>(at, ALPHABET.charCodeAt(digit & 63) as u8);
}

export function encode(input: usize, length: i32): u64 {
  const size = (length + 2) / 3 * 4;
  const output = alloc(size);
  let at = output;
  for (let i = 0; i < length; i += 3) {
    const left = length - i;
    let three: u32 = (load<u8>(input + i) as u32) << 16;
    if (left > 1) three |= (load<u8>(input + i + 1) as u32) << 8;
    if (left > 2) three |= load<u8>(input + i + 2) as u32;
    put(at, three >> 18);
    put(at + 1, three >> 12);
    put(at + 2, three >> 6);
    put(at + 3, three);
    if (left < 3) store<u8>(at + 3, 61); // =
    if (left < 2) store<u8>(at + 2, 61);
    at += 4;
  }
  return answer(output, size);
}

function digit(character: u8): u32 {
  const digit = ALPHABET.indexOf(String.fromCharCode(character));
  if (digit < 0) unreachable();
  return digit as u32;
}

/** Traps where it is not base64. */
export function decode(input: usize, length: i32): u64 {
  if (length % 4 != 0) unreachable();
  let padding = 0;
  while (padding < 2 && padding < length && load<u8>(input + length - 1 - padding) == 61) padding++;
  const size = length / 4 * 3 - padding;
  const output = alloc(size);
  let bits: u32 = 0;
  let count = 0;
  let at = 0;
  for (let i = 0; i < length - padding; i++) {
    bits = (bits << 6) | digit(load<u8>(input + i));
    count += 6;
    if (count >= 8) {
      count -= 8;
      store<u8>(output + at++, (bits >> count) as u8);
    }
  }
  return answer(output, size);
}
