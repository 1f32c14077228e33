/** Whatever is decided about late members, each slot is in exactly one member's sum, and the same ones contribute for all. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { DeadlineError } from "../../../src/base/errors.ts";
import type { Backup } from "../../../src/network/wire/messages.ts";
import type { StepInput } from "../../../src/training/parallel/data/data-parallel-step.ts";
import { gradientBuckets } from "../../../src/training/parallel/data/gradient-buckets.ts";
import {
  giveOwn,
  type Givers,
  type Outgoing,
  type OwnSum,
  type StepCover,
} from "../../../src/training/parallel/data/slot-sums.ts";
import { totalOf, type BlockSum } from "../../../src/training/parallel/data/slot-tree.ts";
import { genesisVersion } from "../../../src/training/recovery/replica.ts";

const SEED = 20_261_130;
const RANKS = 4;
const PARAMETERS = 256;
const SLOTS = 8;
const COMMITTED = genesisVersion(new Float32Array(PARAMETERS), 0);

/** Keeps what would be sent. */
class Kept implements Outgoing {
  readonly buckets = gradientBuckets(PARAMETERS);
  readonly gradients: (Float32Array | null)[] = [];
  /** Of the last bucket. */
  sums: readonly BlockSum[] = [];
  readonly givers: Givers;

  constructor(givers: Givers) {
    this.givers = givers;
  }

  get sent(): number {
    return this.gradients.length;
  }

  get plan(): never {
    throw new Error("nothing is packed");
  }

  send(sums: readonly BlockSum[]): void {
    this.sums = sums.map((sum) => ({ ...sum, values: sum.values.slice() }));
    this.gradients.push(totalOf(sums.map((sum) => ({ ...sum, values: sum.values.slice() }))));
  }

  sendPacked(): void {
    throw new Error("nothing is packed");
  }
}

async function give(input: StepInput): Promise<OwnSum<Kept> & { gradient: Float32Array | null }> {
  const given = await giveOwn(input, (givers) => new Kept(givers));
  expect(given.gradients.sent).toBe(given.gradients.buckets.length);
  return { ...given, gradient: given.gradients.gradients.at(-1) ?? null };
}

/** Sums of these depend on their order. */
const gradientOf = (slot: number): number => 10 ** (slot % 5) * Math.sin(slot + 1);

/** Slot s gives the same value everywhere; `slot` may be made to take its time. */
function inputOf(rank: number, slots: readonly (readonly number[])[], cover: StepCover | null): StepInput {
  return {
    engine: {
      parameterCount: PARAMETERS,
      stateFloats: 0,
      slots: SLOTS,
      slot: async (_, step, slot) => ({
        loss: step + slot,
        gradient: new Float32Array(PARAMETERS).fill(gradientOf(slot)),
      }),
      update: ({ parameters, state }) => Promise.resolve({ parameters, state }),
    },
    group: { rank, size: RANKS } as StepInput["group"],
    map: { owner: [], replica: [] },
    step: 1,
    slots,
    committed: COMMITTED,
    cover,
    deadlineMs: 1_000,
    signal: new AbortController().signal,
    clock: systemClock,
  };
}

/** Late ranks' slots are never done in time at those ranks. */
const situation = fc
  .record({
    slots: fc.array(fc.integer({ min: 0, max: RANKS - 1 }), { minLength: SLOTS, maxLength: SLOTS }),
    backedRanks: fc.subarray([0, 1, 2]),
    late: fc.subarray([0, 1, 2]),
  })
  .map(({ slots: ranks, backedRanks, late }) => {
    const slots = Array.from({ length: RANKS }, (_, rank) => ranks.flatMap((of, slot) => (of === rank ? [slot] : [])));
    const backups = backedRanks.map((rank): Backup => [rank, 3]);
    return { slots, backups, late: late.filter((rank) => backedRanks.includes(rank)) };
  });

test("each slot goes into one sum, and all agree on who contributes", async () => {
  await fc.assert(
    fc.asyncProperty(situation, async ({ slots, backups, late }) => {
      let decide: (late: readonly number[]) => void = () => {};
      const decision = new Promise<readonly number[]>((resolve) => (decide = resolve));
      const computed = new Set<string>();
      const sums = slots.map((_, rank) => {
        const onComputed = (of: number): void => {
          computed.add(`${of}:${rank}`);
          // Everything is computed everywhere: the coordinator may decide either way.
          const expected = slots.flatMap((own, of) =>
            own.length === 0 ? [] : [`${of}:${of}`, ...backups.flatMap(([b, by]) => (b === of ? [`${of}:${by}`] : []))],
          );
          if (expected.every((name) => computed.has(name))) decide(late);
        };
        return give(inputOf(rank, slots, { backups, onComputed, decision }));
      });
      const done = await Promise.all(sums);
      expect(done.flatMap(({ losses }) => losses.map(([slot]) => slot)).sort((a, b) => a - b)).toEqual([
        ...Array(SLOTS).keys(),
      ]);
      const givers = done.map((sum) => JSON.stringify([...sum.gradients.givers].sort(([a], [b]) => a - b)));
      expect(new Set(givers).size).toBe(1);
      const giving = done.flatMap(({ gradient }, rank) => (gradient ? [rank] : []));
      expect([...(done[0]?.gradients.givers.keys() ?? [])].sort((a, b) => a - b)).toEqual(giving);
      for (const [rank, { losses, gradients }] of done.entries())
        expect(losses.map(([slot]) => slot).sort((a, b) => a - b)).toEqual(
          [...(gradients.givers.get(rank) ?? [])].sort((a, b) => a - b),
        );
      const total = totalOf(done.flatMap(({ gradients }) => gradients.sums));
      const leaves = Array.from({ length: SLOTS }, (_, slot) => Math.fround(Math.fround(gradientOf(slot)) / SLOTS));
      const halves = (values: readonly number[]): number =>
        values.length === 1
          ? (values[0] as number)
          : Math.fround(halves(values.slice(0, values.length / 2)) + halves(values.slice(values.length / 2)));
      expect(total?.[0]).toBe(halves(leaves));
    }),
    { seed: SEED, numRuns: 200 },
  );
});

test("a late member gives its slots up at once, and begins no other before the one under way is over", async () => {
  const begun: number[] = [];
  let finish = (): void => {};
  const engine: StepInput["engine"] = {
    ...inputOf(0, [[0]], null).engine,
    slot: (_, step, slot) => {
      begun.push(slot);
      const result = { loss: step, gradient: new Float32Array(PARAMETERS) };
      return new Promise((resolve) => (finish = () => resolve(result)));
    },
  };
  const cover = (slots: readonly number[][], late: Promise<readonly number[]>): StepInput => ({
    ...inputOf(0, slots, { backups: [[0, 1]], onComputed: () => {}, decision: late }),
    engine,
  });
  const first = await give(cover([[0, 1], [2]], Promise.resolve([0])));
  expect(first).toMatchObject({ gradient: null, losses: [], gradients: { givers: new Map([[1, [0, 1, 2]]]) } });
  expect(begun).toEqual([0]);
  const second = give(cover([[3], [2]], new Promise(() => {})));
  second.catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(begun).toEqual([0]);
  finish();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(begun).toEqual([0, 3]);
});

test("without a decision the step fails at its deadline", async () => {
  const cover: StepCover = { backups: [[0, 1]], onComputed: () => {}, decision: new Promise(() => {}) };
  const input = { ...inputOf(1, [[0], [1]], cover), deadlineMs: 20 };
  await expect(give(input)).rejects.toThrow(DeadlineError);
});
