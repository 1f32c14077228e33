/** Where a run was when its checkpoint was exported: the file's header alone, so that a page can tell before any tensor is read. */
import * as v from "valibot";
import type { Bytes } from "../../base/bytes.ts";
import { CorruptDataError } from "../../base/errors.ts";
import { headerBytesOf, LENGTH_BYTES, parseHeader } from "../../model/safetensors/header.ts";

const WHAT = "checkpoint file";

const position = v.object({
  run: v.string(),
  seed: v.number(),
  step: v.number(),
  sampler: v.object({ seed: v.number(), position: v.number() }),
  random: v.array(v.number()),
  optimizer: v.object({ name: v.string(), options: v.record(v.string(), v.number()) }),
  lossScale: v.nullable(v.number()),
  order: v.array(v.string()),
});

/** What a run goes on from besides the tensors. */
export interface RunPosition {
  /** Its name, and its seed. */
  readonly run: string;
  readonly seed: number;
  readonly step: number;
  readonly sampler: { readonly seed: number; readonly position: number };
  readonly random: readonly number[];
  readonly optimizer: { readonly name: string; readonly options: Readonly<Record<string, number>> };
  readonly lossScale: number | null;
}

/** Where the run was that wrote this file. @throws CorruptDataError for a file that no run wrote */
export function readPosition(file: Bytes): RunPosition & { readonly order: readonly string[] } {
  const headerBytes = headerBytesOf(WHAT, file, file.byteLength);
  const dataStart = LENGTH_BYTES + headerBytes;
  const { metadata } = parseHeader(WHAT, file.subarray(LENGTH_BYTES, dataStart), file.byteLength - dataStart);
  const parsed = v.safeParse(position, jsonOf(metadata["hearth"]));
  if (!parsed.success) throw new CorruptDataError(`${WHAT}: expected a run's position, found none`);
  return parsed.output;
}

function jsonOf(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}
