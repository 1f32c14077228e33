/** Members that become slow: steps go on without waiting for them, and the mathematics stays the same. */
import { beforeAll, expect, test } from "vitest";
import type { Limits } from "../../src/training/coordinator/protocol.ts";
import { Room, type Tab, type ToyEngine } from "./room.ts";

const STEPS = 90;
const SLOWNESS = 10;
/** Slots of 100 ms in place of 20, so that being left out for ten seconds is some thirty steps. */
const PACE = 5;
const NEVER = { lateBackup: Infinity, lateDrop: Infinity };

/** Four tabs to the end; the last is so many times slower in a step. */
async function trained(
  slowness: (step: number) => number,
  limits: Partial<Limits> = {},
): Promise<{ room: Room; slow: string }> {
  const room = new Room({ startWith: 4, steps: STEPS, checkpointEvery: 30 }, 1, { limits });
  const tabs = Array.from({ length: 4 }, () => room.open());
  for (const tab of tabs) (tab.engine as ToyEngine).slowness = () => PACE;
  const slow = tabs[3] as Tab;
  (slow.engine as ToyEngine).slowness = (step) => PACE * slowness(step);
  await room.until(() => room.isEnded, 600_000);
  expect(room.step).toBe(STEPS);
  expect(room.linesOf("abort")).toEqual([]);
  return { room, slow: slow.peer };
}

function expectSameLosses(room: Room): void {
  const expected = usual.losses();
  expect(room.losses().size).toBe(expected.size);
  for (const [step, loss] of room.losses()) {
    // The order of the float32 sums differs, nothing else does: rounding of 8 terms, carried on.
    expect(Math.abs(loss - (expected.get(step) ?? 0)), `step ${step}`).toBeLessThan(1e-6);
  }
}

/** Milliseconds of steps (from, to], as the coordinator took them. */
function stepMs(room: Room, from: number, to: number): number[] {
  return room.linesOf("step").flatMap(({ step, ms }) => (step > from && step <= to ? [ms] : []));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

let usual: Room;

beforeAll(async () => {
  ({ room: usual } = await trained(() => 1));
}, 120_000);

test("a member ten times slower than measured is backed up, left out, and taken in again when it is fast", async () => {
  const [from, to] = [10, 40];
  const { room, slow } = await trained((step) => (step > from && step <= to ? SLOWNESS : 1));
  expectSameLosses(room);
  const lines = room.linesOf("straggler").filter(({ action }) => action !== "less");
  expect(lines).toMatchObject([
    { peer: slow, action: "backup", step: from + 3 },
    { peer: slow, action: "dropped", step: from + 6 },
  ]);
  // The first two late steps are waited for. Later ones take up to four slots where there are two, the backups'.
  const usualMs = mean(stepMs(usual, from, to));
  expect(Math.max(...stepMs(room, from, from + 2))).toBeGreaterThan(0.9 * SLOWNESS * usualMs);
  expect(Math.max(...stepMs(room, from + 2, STEPS))).toBeLessThan(2.1 * usualMs);
  const last = room.linesOf("step").at(-1);
  expect(last?.members).toContain(slow);
  expect(last?.times[slow]?.compute).toBeGreaterThan(0);
}, 120_000);

test("with backups a member ten times slower in one step of three costs less than a third of what it does without", async () => {
  const from = 10;
  const slowness = (step: number): number => (step > from && step % 3 === 0 ? SLOWNESS : 1);
  const without = await trained(slowness, NEVER);
  const backed = await trained(slowness, { lateDrop: Infinity });
  for (const { room } of [without, backed]) expectSameLosses(room);
  expect(without.room.linesOf("straggler").filter(({ action }) => action !== "less")).toEqual([]);
  // From the second late step on, which is the 15th.
  const [usualMs, withoutMs, backedMs] = [usual, without.room, backed.room].map((room) =>
    mean(stepMs(room, 15, STEPS)),
  );
  const lost = (ms = Number.NaN): number => ms - (usualMs ?? Number.NaN);
  expect(lost(backedMs), `${usualMs} ms, without backups ${withoutMs} ms, with them ${backedMs} ms`).toBeLessThan(
    lost(withoutMs) / 3,
  );
}, 240_000);
