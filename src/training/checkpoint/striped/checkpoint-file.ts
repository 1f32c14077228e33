/** A checkpoint as one safetensors file, optimizer state and all: what other programs read, and what a run goes on from. */
import * as v from "valibot";
import { bytesOf, floatsOf, type Bytes } from "../../../base/bytes.ts";
import { CorruptDataError } from "../../../base/errors.ts";
import { bytesSource } from "../../../model/safetensors/ranged-source.ts";
import { readSafetensors, SafetensorsFile } from "../../../model/safetensors/safetensors-file.ts";
import { writeSafetensors } from "../../../model/safetensors/write-safetensors.ts";
import type { Manifest, StoredTensor } from "./manifest.ts";

/** What a run goes on from besides the tensors. */
export type RunPosition = Pick<Manifest, "step" | "sampler" | "random" | "optimizer" | "lossScale">;

const position = v.object({
  step: v.number(),
  sampler: v.object({ seed: v.number(), position: v.number() }),
  random: v.array(v.number()),
  optimizer: v.object({ name: v.string(), options: v.record(v.string(), v.number()) }),
  lossScale: v.nullable(v.number()),
  order: v.array(v.string()),
});

/** All tensors of a checkpoint, float32, under their names; position and order in the file's metadata, as "hearth". */
export function exportCheckpoint(manifest: Manifest, bytes: Bytes): Bytes {
  const { step, sampler, random, optimizer, lossScale, tensors } = manifest;
  const entries = tensors.map(({ name, shape, offset, bytes: length }) => {
    const data = floatsOf(bytes.slice(offset, offset + length));
    return [name, { shape, data }] as const;
  });
  const order = tensors.map(({ name }) => name);
  const hearth = JSON.stringify({ step, sampler, random, optimizer, lossScale, order });
  return writeSafetensors(Object.fromEntries(entries), { metadata: { format: "pt", hearth } });
}

/** @throws CorruptDataError for a file without a run's position, or without a tensor that it names */
export async function importCheckpoint(
  file: Bytes,
): Promise<{ readonly position: RunPosition; readonly tensors: readonly StoredTensor[]; readonly bytes: Bytes }> {
  const { metadata } = await SafetensorsFile.open(bytesSource(file));
  const parsed = v.safeParse(position, jsonOf(metadata["hearth"]));
  if (!parsed.success) throw new CorruptDataError(`checkpoint file: expected a run's position, found none`);
  const { order, ...rest } = parsed.output;
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
    tensors.push({ name, dtype: "float32", shape: [...tensor.shape], offset, bytes: part.byteLength });
    parts.push(part);
    offset += part.byteLength;
  }
  const bytes = new Uint8Array(offset);
  for (const [at, part] of parts.entries()) bytes.set(part, tensors[at]?.offset ?? 0);
  return { position: rest, tensors, bytes };
}

function jsonOf(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}
