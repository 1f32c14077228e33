/**
 * output ^= factor * input over the field of bytes, 16 bytes at a time: a product is two lookups in tables of 16, one
 * for each half of the byte (Plank et al., "Screaming Fast Galois Field Arithmetic", FAST 2013).
 *
 * The module is its bytes, written out below: 130 or so, compiled where it is first needed.
 */
import type { Bytes } from "../../base/bytes.ts";
import { multiply, type Matrix } from "./galois.ts";

/** Bytes of each shard that are in the module's memory at a time: what is worked on stays in the cache. */
const BLOCK_BYTES = 16_384;
const PAGE_BYTES = 65_536;
const TABLE_BYTES = 32;

const [GET, SET, TEE, I32, V128] = [0x20, 0x21, 0x22, 0x7f, 0x7b];
const [TABLE, INPUT, OUTPUT, END, LOW, HIGH, X] = [0, 1, 2, 3, 4, 5, 6];
const LOAD = [0xfd, 0x00, 0x00, 0x00];
const SWIZZLE = [0xfd, 0x0e];
const XOR = [0xfd, 0x51];
const ADD_16 = [0x41, 0x10, 0x6a];

/** (table, input, output, end): do { output ^= low[input & 15] ^ high[input >> 4] } while (input < end). */
const BODY: readonly number[] = [
  ...[0x01, 0x03, V128],
  ...[GET, TABLE, ...LOAD, SET, LOW],
  ...[GET, TABLE, 0xfd, 0x00, 0x00, 0x10, SET, HIGH],
  ...[0x03, 0x40],
  ...[GET, OUTPUT],
  ...[GET, LOW, GET, INPUT, ...LOAD, TEE, X, 0xfd, 0x0c, ...new Array<number>(16).fill(15), 0xfd, 0x4e, ...SWIZZLE],
  ...[GET, HIGH, GET, X, 0x41, 0x04, 0xfd, 0x6d, ...SWIZZLE, ...XOR],
  ...[GET, OUTPUT, ...LOAD, ...XOR, 0xfd, 0x0b, 0x00, 0x00],
  ...[GET, OUTPUT, ...ADD_16, SET, OUTPUT],
  ...[GET, INPUT, ...ADD_16, TEE, INPUT, GET, END, 0x49, 0x0d, 0x00],
  ...[0x0b, 0x0b],
];

function section(id: number, content: readonly number[]): number[] {
  return [id, content.length, ...content];
}

/** Lengths are below 128 everywhere but in the code, whose two take two bytes each. */
function assembled(): Bytes {
  const long = (length: number): number[] => [(length & 0x7f) | 0x80, length >> 7];
  const code = [0x01, ...long(BODY.length), ...BODY];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [0x01, 0x60, 0x04, I32, I32, I32, I32, 0x00]),
    ...section(2, [0x01, 0x01, 0x6d, 0x01, 0x6d, 0x02, 0x00, 0x01]),
    ...section(3, [0x01, 0x00]),
    ...section(7, [0x01, 0x03, 0x61, 0x64, 0x64, 0x00, 0x00]),
    ...[0x0a, ...long(code.length), ...code],
  ]);
}

let compiled: WebAssembly.Module | null | undefined;

/** True where the engine has 128-bit vectors. */
export function hasSimd(): boolean {
  if (compiled === undefined) compiled = WebAssembly.validate(assembled()) ? new WebAssembly.Module(assembled()) : null;
  return compiled !== null;
}

/** outputs[r][i] = sum over j of rows[r][j] * inputs[j][i]. Asks for `hasSimd`. Outputs are all 0 before. */
export function combineSimd(rows: Matrix, inputs: readonly Bytes[], outputs: readonly Bytes[]): void {
  if (!hasSimd() || !compiled) return;
  const bytes = inputs[0]?.byteLength ?? 0;
  const tables = rows.flatMap((row) => row.map(tableOf));
  const blocksAt = Math.ceil((tables.length * TABLE_BYTES) / BLOCK_BYTES) * BLOCK_BYTES;
  const outputsAt = blocksAt + inputs.length * BLOCK_BYTES;
  const pages = Math.ceil((outputsAt + outputs.length * BLOCK_BYTES) / PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: pages });
  const instance = new WebAssembly.Instance(compiled, { m: { m: memory } });
  const add = instance.exports["add"] as (table: number, input: number, output: number, end: number) => void;
  const view = new Uint8Array(memory.buffer);
  for (const [at, table] of tables.entries()) view.set(table, at * TABLE_BYTES);
  for (let from = 0; from < bytes; from += BLOCK_BYTES) {
    const size = Math.min(BLOCK_BYTES, bytes - from);
    for (const [at, input] of inputs.entries())
      view.set(input.subarray(from, from + size), blocksAt + at * BLOCK_BYTES);
    view.fill(0, outputsAt, outputsAt + outputs.length * BLOCK_BYTES);
    for (const [row, output] of outputs.entries()) {
      const to = outputsAt + row * BLOCK_BYTES;
      for (let column = 0; column < inputs.length; column++) {
        const input = blocksAt + column * BLOCK_BYTES;
        add((row * inputs.length + column) * TABLE_BYTES, input, to, input + size);
      }
      output.set(view.subarray(to, to + size), from);
    }
  }
}

/** Products of `factor` with the low halves of a byte, then with the high ones. */
function tableOf(factor: number): Bytes {
  return Uint8Array.from({ length: TABLE_BYTES }, (_, at) => multiply(factor, at < 16 ? at : (at - 16) << 4));
}
