/**
 * Golden values from PyTorch, which live beside the repository and may be absent: ops, optimizers and whole training
 * runs as JSON, their tensors as safetensors.
 */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { present } from "../../src/base/assert.ts";
import type { Bytes } from "../../src/base/bytes.ts";
import { CorruptDataError } from "../../src/base/errors.ts";
import type { HostArray } from "../../src/compute/runtime/runtime.ts";
import type { HostValues } from "../../src/compute/tensor/host-values.ts";

const FOLDER = path.resolve(process.env["HEARTH_FIXTURES"] ?? "../shared/fixtures");

/** Null when the fixtures are there; else why tests are skipped. */
export const fixturesMissing: string | null = existsSync(path.join(FOLDER, "ops.json"))
  ? null
  : `skipped: no ops.json in ${FOLDER}; set HEARTH_FIXTURES`;

export interface OpFixture {
  readonly id: string;
  readonly op: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly inputs: readonly { readonly name: string; readonly dtype: "float32" | "int32" }[];
  readonly output: string;
  readonly rtol: number;
  readonly atol: number;
  readonly gradOutput?: string;
  readonly grads?: readonly (string | null)[];
}

export interface OptimizerFixture {
  readonly id: string;
  readonly optimizer: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly steps: number;
  readonly params: readonly string[];
}

export interface ModelFixture {
  readonly id: string;
  readonly kind: "gpt" | "cnn" | "lstm";
  readonly model: Readonly<Record<string, unknown>>;
  readonly optimizer: Readonly<Record<string, unknown>> & { readonly name: string };
  readonly steps: number;
  readonly losses: readonly number[];
  readonly parameters: Readonly<Record<string, string>>;
  readonly batches: readonly (readonly [string, string])[];
}

/** The cases of a file, and its tensors by name. Nothing of either when the fixtures are absent. */
export interface Fixtures<Case> {
  readonly cases: readonly Case[];
  values(name: string): HostValues;
}

/** Cases whose options do not say what was computed. "l1Loss-0" says sum; its values are 1 / 425 of the sums: means. */
const CORRECTED: Readonly<Record<string, OpFixture["options"]>> = { "l1Loss-0": { reduction: "mean" } };

export function opFixtures(): Fixtures<OpFixture> {
  const { cases, values } = load<OpFixture>("ops");
  return { cases: cases.map((item) => ({ ...item, options: { ...item.options, ...CORRECTED[item.id] } })), values };
}

export function optimizerFixtures(): Fixtures<OptimizerFixture> {
  return load("optim");
}

export function modelFixtures(): Fixtures<ModelFixture> {
  return load("models");
}

function load<Case>(name: string): Fixtures<Case> {
  if (fixturesMissing !== null) return { cases: [], values: (tensor) => present<HostValues>(null, tensor) };
  const { cases } = JSON.parse(readFileSync(path.join(FOLDER, `${name}.json`), "utf8")) as { cases: Case[] };
  const tensors = readSafetensors(new Uint8Array(readFileSync(path.join(FOLDER, `${name}.safetensors`))));
  return { cases, values: (tensor) => present(tensors.get(tensor), `the fixture's tensor ${tensor}`) };
}

/** All tensors of a safetensors file: 8 bytes of header length, a JSON header, then the bytes. @throws CorruptDataError */
function readSafetensors(file: Bytes): Map<string, HostValues> {
  const headerBytes = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + headerBytes))) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  const out = new Map<string, HostValues>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const [from, to] = entry.data_offsets;
    const { buffer } = file.slice(8 + headerBytes + from, 8 + headerBytes + to);
    out.set(name, { shape: entry.shape, data: arrayOf(entry.dtype, buffer) });
  }
  return out;
}

function arrayOf(dtype: string, buffer: ArrayBuffer): HostArray {
  switch (dtype) {
    case "F32":
      return new Float32Array(buffer);
    case "I32":
      return new Int32Array(buffer);
    default:
      throw new CorruptDataError(`safetensors: expected F32 or I32, found ${dtype}`);
  }
}
