/** What a task computes, and what its result has to be: values are small whole numbers, so that every sum is exact. */
import { bytesOf, floatsOf } from "../../../src/base/bytes.ts";
import type { Bytes } from "../../../src/base/bytes.ts";
import type { Codec } from "../../../src/network/collectives/codecs/codec.ts";
import { float16Codec } from "../../../src/network/collectives/codecs/float16.ts";
import { int8Codec } from "../../../src/network/collectives/codecs/quantized.ts";
import type { Group } from "../../../src/network/collectives/group.ts";
import type { ReduceOptions } from "../../../src/network/collectives/group-verbs.ts";
import type { Task } from "./scenario.ts";

type Floats = Float32Array<ArrayBuffer>;

/** What a seeded bug may change of a member's call. */
export interface CallChanges {
  readonly root?: (root: number, size: number) => number;
  readonly bounds?: (bounds: number[]) => number[];
  readonly codec?: (codec: Codec) => Codec;
  readonly options?: Partial<ReduceOptions>;
}

/** The numbers that a peer brings along. */
export function inputOf({ length }: Task, peer: number): Floats {
  return Float32Array.from({ length }, (_, at) => ((at * 7 + peer * 13) % 61) - 30);
}

/** Runs a task; the result as float32 values, one array whatever the verb. `peers`: of each rank its number. */
export async function runTask(
  group: Group,
  task: Task,
  peers: readonly number[],
  plain: ReduceOptions,
  input: Floats,
  changes: CallChanges,
): Promise<Floats> {
  const { size, rank } = group;
  const codec = codecFor(task, changes);
  const options: ReduceOptions = { ...plain, algorithm: task.algorithm, codec, ...changes.options };
  const root = changes.root?.(rootRank(task, peers), size) ?? rootRank(task, peers);
  const bounds = Array.from({ length: size + 1 }, (_, at) => Math.floor((at * task.length) / size));
  const own = bytesOf(input);
  switch (task.verb) {
    case "barrier":
      await group.barrier(plain);
      return new Float32Array(0);
    case "all-reduce":
      return group.allReduce(input, options);
    case "reduce":
      return (await group.reduce(root, input, options)) ?? new Float32Array(0);
    case "reduce-scatter":
      return group.reduceScatter(input, changes.bounds?.(bounds) ?? bounds, [...peers.keys()], options);
    case "all-gather": {
      const byteBounds = peers.map((_, at) => 4 * task.length * at);
      return floatsOf(await group.allGather(own, [...byteBounds, 4 * task.length * size], options));
    }
    case "broadcast":
      return floatsOf(await group.broadcast(root, rank === root ? own : null, options));
    case "scatter": {
      const parts = peers.map((_, at) => own.subarray(4 * (bounds[at] ?? 0), 4 * (bounds[at + 1] ?? 0)));
      return floatsOf(await group.scatter(root, rank === root ? parts : null, options));
    }
    case "gather":
      return joined((await group.gather(root, own, options)) ?? []);
    case "all-to-all": {
      const parts = peers.map((_, at) => own.subarray(4 * (bounds[at] ?? 0), 4 * (bounds[at + 1] ?? 0)));
      return joined(await group.allToAll(parts, options));
    }
  }
}

/** What `runTask` has to give at a rank. */
export function expectedOf(task: Task, peers: readonly number[], rank: number): Floats {
  const inputs = peers.map((peer) => inputOf(task, peer));
  const bound = (at: number): number => Math.floor((at * task.length) / peers.length);
  const sum = (): Floats => inputs.reduce((total, input) => total.map((value, at) => value + (input[at] ?? 0)));
  const root = rootRank(task, peers);
  const none = new Float32Array(0);
  switch (task.verb) {
    case "barrier":
      return none;
    case "all-reduce":
      return sum();
    case "reduce":
      return rank === root ? sum() : none;
    case "reduce-scatter":
      return sum().slice(bound(rank), bound(rank + 1));
    case "all-gather":
      return joined(inputs.map(bytesOf));
    case "broadcast":
      return inputs[root] ?? none;
    case "scatter":
      return (inputs[root] ?? none).slice(bound(rank), bound(rank + 1));
    case "gather":
      return rank === root ? joined(inputs.map(bytesOf)) : none;
    case "all-to-all":
      return joined(inputs.map((input) => bytesOf(input.slice(bound(rank), bound(rank + 1)))));
  }
}

/** How far a result may be off: what is packed in 8 bits is rounded once for each member and once more. */
export function toleranceOf({ codec }: Task, members: number): number {
  return codec === "int8" ? ((members + 1) * 30 * members) / 127 : 0;
}

function codecFor({ codec }: Task, { codec: change = (one) => one }: CallChanges): Codec | undefined {
  if (codec === "none") return undefined;
  return change(codec === "float16" ? float16Codec : int8Codec());
}

function rootRank({ root }: Task, peers: readonly number[]): number {
  const at = peers.findIndex((peer) => peer >= root);
  return at < 0 ? 0 : at;
}

function joined(parts: readonly Bytes[]): Floats {
  return Float32Array.from(parts.flatMap((part) => [...floatsOf(part)]));
}
