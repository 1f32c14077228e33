/** What `exportState` wrote, read back: the state that a new run goes on from, or the tensors end to end, and where the run was. */
import { bytesOf, concatBytes, floatsOf, type Bytes } from "../../base/bytes.ts";
import { CorruptDataError, OptionError } from "../../base/errors.ts";
import { readSafetensors } from "../../model/safetensors/safetensors-file.ts";
import type { ImportSpec } from "../../network/wire/run-spec.ts";
import type { StateLayout } from "../../network/wire/state-record.ts";
import { versionOf, type Version } from "../recovery/replica.ts";
import { readPosition, type RunPosition } from "./run-position.ts";

/** Of float32, and where it begins in the bytes of all. */
export interface StoredTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly bytes: number;
}

/**
 * The state that a run with this spec and layout begins with, from the file that its spec names.
 * @throws OptionError where the file is of another model, optimizer or step than the spec and layout say; CorruptDataError
 */
export async function importVersion(file: Bytes, from: ImportSpec, layout: StateLayout): Promise<Version> {
  const { step, optimizer } = readPosition(file);
  const named = `checkpoint “${from.name}”`;
  if (step !== from.step) throw new OptionError(`${named}: expected the state after step ${from.step}, found ${step}`);
  if (optimizer.name !== layout.optimizer.name) {
    throw new OptionError(`${named}: expected state of ${layout.optimizer.name}, found that of ${optimizer.name}`);
  }
  const tensors = readSafetensors(file);
  const expected = new Map(
    ["", ...layout.optimizer.vectors.map((vector) => `optimizer.${vector}.`)].flatMap((prefix) =>
      layout.tensors.map(({ name, shape }) => [prefix + name, shape] as const),
    ),
  );
  const other = [...tensors.keys()].find((name) => !expected.has(name));
  if (other !== undefined)
    throw new OptionError(`${named}: expected this run's model, found a tensor “${other}” besides`);
  for (const [name, shape] of expected) {
    const found = tensors.get(name);
    const wanted = `${named}: expected this run's model with “${name}” of [${shape.join(", ")}]`;
    if (!found) throw new OptionError(`${wanted}, found no such tensor`);
    const isSame = found.shape.length === shape.length && found.shape.every((length, axis) => length === shape[axis]);
    if (!isSame) throw new OptionError(`${wanted}, found one of [${found.shape.join(", ")}]`);
    if (!(found.data instanceof Float32Array)) throw new OptionError(`${wanted} in float32, found other values`);
  }
  const flat = (prefix: string): Float32Array<ArrayBuffer> => {
    const parts = layout.tensors.map(({ name }) =>
      bytesOf(tensors.get(prefix + name)?.data as Float32Array<ArrayBuffer>),
    );
    return floatsOf(concatBytes(parts));
  };
  const vectors = layout.optimizer.vectors.map((vector) => flat(`optimizer.${vector}.`));
  return versionOf(step, flat(""), vectors);
}

/** @throws CorruptDataError for a file without a run's position, or without a tensor that it names */
export async function importState(
  file: Bytes,
): Promise<{ readonly position: RunPosition; readonly tensors: readonly StoredTensor[]; readonly bytes: Bytes }> {
  const { order, ...rest } = readPosition(file);
  const found = readSafetensors(file);
  const tensors: StoredTensor[] = [];
  const parts: Bytes[] = [];
  let offset = 0;
  for (const name of order) {
    const tensor = found.get(name);
    if (!(tensor?.data instanceof Float32Array)) {
      throw new CorruptDataError(`checkpoint file: expected a float32 tensor "${name}", found none`);
    }
    const part = bytesOf(tensor.data as Float32Array<ArrayBuffer>);
    tensors.push({ name, shape: [...tensor.shape], offset, bytes: part.byteLength });
    parts.push(part);
    offset += part.byteLength;
  }
  const bytes = new Uint8Array(offset);
  for (const [at, part] of parts.entries()) bytes.set(part, tensors[at]?.offset ?? 0);
  return { position: rest, tensors, bytes };
}
