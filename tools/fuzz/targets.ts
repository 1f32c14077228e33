/** The readers that take files from strangers, each with good files to begin with and a check of what it made. */
import { gzipSync } from "node:zlib";
import type { Bytes } from "../../src/base/bytes.ts";
import { elementCount } from "../../src/compute/layout/shape.ts";
import type { Random } from "../../src/base/random.ts";
import { readCsv } from "../../src/model/data/files/csv.ts";
import { readIdx } from "../../src/model/data/files/idx.ts";
import { readNpy, writeNpy } from "../../src/model/data/files/npy.ts";
import { readNpz } from "../../src/model/data/files/npz.ts";
import type { HostTensor } from "../../src/model/data/host-tensor.ts";
import { compilePattern } from "../../src/model/data/tokenizer/pattern.ts";
import { Tokenizer } from "../../src/model/data/tokenizer/tokenizer.ts";
import { readSafetensors } from "../../src/model/safetensors/safetensors-file.ts";
import { readShardIndex } from "../../src/model/safetensors/sharded-file.ts";
import { writeSafetensors } from "../../src/model/safetensors/write-safetensors.ts";
import { frameInput, FrameTarget } from "./frames.ts";
import { mutateBytes, mutateJson, mutateText, randomBytes } from "./mutate.ts";
import { patterns, tokenizerFiles } from "./tokenizer-files.ts";
import { zipOf } from "./zip.ts";

export interface FuzzTarget {
  readonly name: string;
  /** An input of this target for these random numbers. */
  input(random: Random): Bytes | string;
  /** Reads it: elements that came out, for the bound on memory. Throws what the reader throws. */
  read(input: Bytes | string): number | Promise<number>;
}

const encoder = new TextEncoder();
const frames = new FrameTarget();
const floats = { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) };
const flags = { shape: [4], data: Uint32Array.of(1, 0, 1, 1), dtype: "bool" as const };
const weights = writeSafetensors(
  {
    a: floats,
    "b.weight": { shape: [], data: Int32Array.of(7) },
    c: flags,
    none: { shape: [0, 5], data: new Float32Array(0) },
  },
  { metadata: { format: "pt" } },
);
const idx = Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6);
const npy = [writeNpy(floats), writeNpy(flags), writeNpy({ shape: [], data: Int32Array.of(3) })];
const csv = ['x,y,name\r\n1,2,"a ""b"", c"\r\n-3.5e2,4,d\r\n', "1;2\n3;4\n", "\ufeffa\n\n1\n"];
const index = { metadata: { total_size: 24 }, weight_map: { a: "model-1.safetensors", b: "model-2.safetensors" } };
const TEXT = "The fire, 12345 of us  don't\n\nknow <s>café 😀</s> ▁x";

export const fuzzTargets: readonly FuzzTarget[] = [
  {
    name: "safetensors",
    input: safetensorsInput,
    read: (input) => total([...readSafetensors(input as Bytes).values()]),
  },
  {
    name: "shard index",
    input: (random) => encoder.encode(changedJson(index, random)),
    read: (input) => readShardIndex(input as Bytes).size,
  },
  { name: "tokenizer", input: tokenizerInput, read: readTokenizer },
  {
    name: "pattern",
    input: (random) => mutateText(random.pick(patterns), random),
    read: (input) => [...TEXT.matchAll(compilePattern(input as string))].length,
  },
  { name: "idx", input: (random) => idxInput(random), read: async (input) => total([await readIdx(input as Bytes)]) },
  {
    name: "npy",
    input: (random) => changedBytes(random.pick(npy), random),
    read: (input) => total([readNpy(input as Bytes)]),
  },
  {
    name: "npz",
    input: (random) => changedBytes(random.pick(archives), random),
    read: async (input) => total([...(await readNpz(input as Bytes)).values()]),
  },
  { name: "frames", input: frameInput, read: (input) => frames.read(input as Bytes) },
  { name: "csv", input: (random) => mutateText(random.pick(csv), random), read: readTable },
];

const archives = [
  zipOf({ "a.npy": writeNpy(floats) }, false),
  zipOf({ "a.npy": writeNpy(floats), b: writeNpy(flags) }, true),
];

function total(tensors: readonly HostTensor[]): number {
  let elements = 0;
  for (const { shape, data } of tensors) {
    if (elementCount(shape) !== data.length) throw new FuzzError(`shape [${shape.join()}] of ${data.length} values`);
    elements += data.length;
  }
  return elements;
}

/** A wrong answer: what the harness itself finds. */
class FuzzError extends TypeError {}

function changedBytes(bytes: Bytes, random: Random): Bytes {
  return random.below(20) === 0 ? randomBytes(random, 200) : mutateBytes(bytes, random);
}

function changedJson(value: unknown, random: Random): string {
  let out = value;
  for (let changes = 1 + random.below(3); changes > 0; changes--) out = mutateJson(out, random);
  const text = JSON.stringify(out) ?? "";
  return random.below(5) === 0 ? mutateText(text, random) : text;
}

/** Half have a header that is JSON still, with its length made right. */
function safetensorsInput(random: Random): Bytes {
  if (random.below(2) === 0) return changedBytes(weights, random);
  const headerBytes = Number(new DataView(weights.buffer).getBigUint64(0, true));
  const header: unknown = JSON.parse(new TextDecoder().decode(weights.subarray(8, 8 + headerBytes)));
  const json = encoder.encode(changedJson(header, random));
  const file = new Uint8Array(8 + json.length + weights.length - 8 - headerBytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  file.set(weights.subarray(8 + headerBytes), 8 + json.length);
  return file;
}

function idxInput(random: Random): Bytes {
  const bytes = changedBytes(idx, random);
  if (random.below(4) > 0) return bytes;
  const packed = new Uint8Array(gzipSync(bytes));
  return random.below(2) === 0 ? packed : changedBytes(packed, random);
}

function tokenizerInput(random: Random): string {
  return random.below(50) === 0
    ? new TextDecoder().decode(randomBytes(random, 100))
    : changedJson(random.pick(tokenizerFiles), random);
}

/** A tokenizer that could be made must also work. */
function readTokenizer(input: Bytes | string): number {
  const tokenizer = Tokenizer.fromJson(input as string);
  const tokens = tokenizer.encode(TEXT);
  // A post-processor may put numbers that no token has; they are an OptionError.
  return tokens.length + tokenizer.decode(tokens).length;
}

function readTable(input: Bytes | string): number {
  const isPlain = (input as string).length % 2 === 0;
  const table = readCsv(input as string, isPlain ? {} : { header: false, delimiter: ";", columns: { "0": "string" } });
  if (isPlain) return table.matrix(table.names).data.length;
  return table.strings("0").length;
}
