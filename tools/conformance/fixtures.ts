/**
 * Golden values from PyTorch: ops, optimizers and whole training runs as JSON, their tensors as safetensors. Where the
 * bytes come from (a folder, a server) is the caller's matter.
 */
import type { Bytes } from "../../src/base/bytes.ts";
import { CorruptDataError } from "../../src/base/errors.ts";
import type { HostValues } from "../../src/compute/tensor/host-values.ts";
import { readSafetensors } from "../../src/model/safetensors/safetensors-file.ts";

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
  /** "gpt", "cnn" or "lstm" so far. */
  readonly kind: string;
  readonly model: Readonly<Record<string, unknown>>;
  readonly optimizer: Readonly<Record<string, unknown>> & { readonly name: string };
  readonly steps: number;
  readonly losses: readonly number[];
  readonly parameters: Readonly<Record<string, string>>;
  readonly batches: readonly (readonly [string, string])[];
}

/** The cases of a file, and its tensors by name. */
export interface Fixtures<Case> {
  readonly cases: readonly Case[];
  /** @throws CorruptDataError when there is none of that name */
  values(name: string): HostValues;
}

export interface AllFixtures {
  readonly ops: Fixtures<OpFixture>;
  readonly optimizers: Fixtures<OptimizerFixture>;
  readonly models: Fixtures<ModelFixture>;
}

/** The bytes of a file of the fixtures, by its name. */
export type ReadFile = (name: string) => Promise<Bytes>;

/** Everything. @throws CorruptDataError, and what `read` throws */
export async function loadFixtures(read: ReadFile): Promise<AllFixtures> {
  return {
    ops: await load<OpFixture>("ops", read),
    optimizers: await load<OptimizerFixture>("optim", read),
    models: await load<ModelFixture>("models", read),
  };
}

async function load<Case>(name: string, read: ReadFile): Promise<Fixtures<Case>> {
  const json = await read(`${name}.json`);
  return parseFixtures(name, json, await read(`${name}.safetensors`));
}

/** `name` is for messages. @throws CorruptDataError */
export function parseFixtures<Case>(name: string, json: Bytes, file: Bytes): Fixtures<Case> {
  const tensors = readSafetensors(file);
  const values = (tensor: string): HostValues => {
    const found = tensors.get(tensor);
    if (found === undefined) {
      throw new CorruptDataError(`${name}.safetensors: expected a tensor named ${tensor}, found none`);
    }
    return found;
  };
  return { cases: casesOf<Case>(name, json), values };
}

function casesOf<Case>(name: string, json: Bytes): readonly Case[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder().decode(json));
  } catch (cause) {
    throw new CorruptDataError(`${name}.json: expected JSON, found something else`, { cause });
  }
  const cases = (parsed as { cases?: unknown } | null)?.cases;
  if (!Array.isArray(cases)) throw new CorruptDataError(`${name}.json: expected a list named cases, found none`);
  return cases as Case[];
}
