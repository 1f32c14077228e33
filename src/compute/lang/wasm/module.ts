/** The bytes of a WebAssembly module: functions over one imported memory, one of which is exported. */
import type { Bytes } from "../../../base/bytes.ts";
import { TYPE_BYTES, writeUnsigned, type Code, type WasmType } from "./code.ts";

/** A function that is written already. */
export interface WasmFunction {
  readonly code: Code;
  readonly results: readonly WasmType[];
}

/** A function that the module gets from outside, as `math.<name>`. */
export interface ImportedFunction {
  readonly name: string;
  readonly params: readonly WasmType[];
  readonly results: readonly WasmType[];
}

/** What a module is made of. Imported functions have the first numbers, then `functions` in order. */
export interface ModuleParts {
  /** Pages of 64 KiB that a shared memory has at most; undefined for one that is not shared. */
  readonly sharedPagesMax: number | undefined;
  readonly imports: readonly ImportedFunction[];
  readonly functions: readonly WasmFunction[];
  /** The exported function, by its number among `functions`, and its name. */
  readonly exported: { readonly name: string; readonly index: number };
}

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const SECTION = { type: 1, import: 2, function: 3, export: 7, code: 10 } as const;

/** A module that imports its memory as `env.memory`. */
export function assembleModule({ sharedPagesMax, imports, functions, exported }: ModuleParts): Bytes {
  const types = [...imports, ...functions.map(({ code, results }) => ({ params: code.params, results }))];
  const out = [...HEADER];
  section(out, SECTION.type, vector(types.map(functionType)));
  const imported = imports.map(({ name }, i) => [...text("math"), ...text(name), 0x00, ...unsigned(i)]);
  section(out, SECTION.import, vector([memoryImport(sharedPagesMax), ...imported]));
  section(out, SECTION.function, vector(functions.map((_, i) => unsigned(imports.length + i))));
  const main = [...text(exported.name), 0x00, ...unsigned(imports.length + exported.index)];
  section(out, SECTION.export, vector([main]));
  section(out, SECTION.code, vector(functions.map(({ code }) => functionBody(code))));
  return new Uint8Array(out);
}

function functionType({ params, results }: Omit<ImportedFunction, "name">): number[] {
  return [0x60, ...vector(params.map(typeBytes)), ...vector(results.map(typeBytes))];
}

function typeBytes(type: WasmType): number[] {
  return [TYPE_BYTES[type]];
}

function memoryImport(sharedPagesMax: number | undefined): number[] {
  const limits = sharedPagesMax === undefined ? [0x00, 0] : [0x03, 0, ...unsigned(sharedPagesMax)];
  return [...text("env"), ...text("memory"), 0x02, ...limits];
}

/** Neighbouring locals of a type are declared together. */
function functionBody({ locals, body: instructions }: Code): number[] {
  const runs: { type: WasmType; count: number }[] = [];
  for (const type of locals) {
    const last = runs.at(-1);
    if (last?.type === type) last.count += 1;
    else runs.push({ type, count: 1 });
  }
  const body = vector(runs.map(({ type, count }) => [...unsigned(count), TYPE_BYTES[type]]));
  for (const byte of instructions) body.push(byte);
  body.push(0x0b);
  const out = unsigned(body.length);
  for (const byte of body) out.push(byte);
  return out;
}

function section(out: number[], id: number, content: readonly number[]): void {
  out.push(id, ...unsigned(content.length));
  for (const byte of content) out.push(byte);
}

function vector(items: readonly (readonly number[])[]): number[] {
  const out = unsigned(items.length);
  for (const item of items) for (const byte of item) out.push(byte);
  return out;
}

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  writeUnsigned(bytes, value);
  return bytes;
}

function text(words: string): number[] {
  return [...unsigned(words.length), ...new TextEncoder().encode(words)];
}
