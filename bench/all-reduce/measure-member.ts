/**
 * One member's part in timing an all-reduce: ours, and in turn with it the bare channels of the same ring, so that both
 * see the same machine. Bandwidth is nccl-tests' bus bandwidth: each link of a ring carries 2(n-1)/n of the buffer.
 */
import { assert } from "../../src/base/assert.ts";
import { systemClock } from "../../src/base/clock.ts";
import type { AlgorithmName } from "../../src/network/collectives/algorithms.ts";
import type { Group } from "../../src/network/collectives/group.ts";
import type { RawRing } from "./raw-ring.ts";

export interface MemberRequest {
  /** Of the buffer. */
  readonly floats: number;
  readonly algorithm: AlgorithmName | undefined;
  /** All-reduces in a row for one sample, so that a small one is longer than the clock is coarse. */
  readonly repeats: number;
  readonly samples: number;
  readonly rawFrameBytes: number;
}

/** Milliseconds by sample, of this member. */
export interface MemberResult {
  /** Of one all-reduce. */
  readonly ms: readonly number[];
  /** The bare channel to the next member: as many bytes as a ring's link carries, while all others do the same. */
  readonly rawMs: readonly number[];
  /** Of a small message on the bare channel, while nobody else sends; 0 but for rank 0. */
  readonly roundTripMs: readonly number[];
}

const DEADLINE_MS = 60_000;

/** Bytes that each link of a ring carries. */
export function busBytes(floats: number, members: number): number {
  return (4 * floats * 2 * (members - 1)) / members;
}

/** All members call it alike, with a fresh group. */
export async function measureMember(group: Group, wire: RawRing, request: MemberRequest): Promise<MemberResult> {
  const { floats, algorithm, repeats, samples, rawFrameBytes } = request;
  const { rank, size } = group;
  const values = new Float32Array(floats).fill(rank + 1);
  const expected = (size * (size + 1)) / 2;
  let operation = 0;
  const next = () =>
    ({ operation: (operation += 1), deadlineMs: DEADLINE_MS, category: "gradients", algorithm }) as const;
  const barrier = (): Promise<void> => group.barrier({ ...next(), category: "control" });
  const timed = async (work: () => Promise<void>): Promise<number> => {
    await barrier();
    const startMs = systemClock.nowMs();
    await work();
    return systemClock.nowMs() - startMs;
  };
  const result = { ms: [] as number[], rawMs: [] as number[], roundTripMs: [] as number[] };
  // The first round warms up.
  for (let sample = -1; sample < samples; sample++) {
    const ms = await timed(async () => {
      for (let repeat = 0; repeat < repeats; repeat++) {
        const sum = await group.allReduce(values, next());
        const isRight = sum[0] === expected && sum[floats - 1] === expected;
        assert(isRight, `bench all-reduce: expected sums of ${expected}, found ${sum[0]}`);
      }
    });
    const rawMs = await timed(() => wire.pass(busBytes(floats, size), rawFrameBytes));
    await barrier();
    const roundTripMs = rank === 0 ? await wire.roundTripMs(repeats) : 0;
    await barrier();
    if (sample < 0) continue;
    result.ms.push(ms / repeats);
    result.rawMs.push(rawMs);
    result.roundTripMs.push(roundTripMs);
  }
  return result;
}
