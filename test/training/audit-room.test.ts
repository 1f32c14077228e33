/** Rooms in which a member's engine is wrong: the others find it, and train on as if it had not been there. */
import { expect, test } from "vitest";
import type { MemberEngine } from "../../src/training/member.ts";
import { Room, ToyEngine } from "./room.ts";

const STEPS = 20;
/** Every slot of every step is computed twice. */
const ALL = { auditEvery: 1, auditSlots: 8 };

type Slot = Awaited<ReturnType<MemberEngine["slot"]>>;

/** From `fromStep` on its results are what `spoil` makes of them. */
class WrongEngine extends ToyEngine {
  readonly #spoil: (result: Slot) => Slot;
  readonly #fromStep: number;

  constructor(wait: (ms: number) => Promise<void>, fromStep: number, spoil: (result: Slot) => Slot) {
    super(wait);
    this.#fromStep = fromStep;
    this.#spoil = spoil;
  }

  override async slot(parameters: Float32Array, step: number, slot: number): Promise<Slot> {
    const right = await super.slot(parameters, step, slot);
    return step < this.#fromStep ? right : this.#spoil(right);
  }
}

const scaled = ({ loss, gradient }: Slot): Slot => ({ loss, gradient: gradient.map((value) => 1.01 * value) });
const notFinite = ({ gradient }: Slot): Slot => ({ loss: Number.NaN, gradient: gradient.map(() => Number.NaN) });

async function trained(
  tabs: number,
  limits: { auditEvery: number; auditSlots: number },
  wrong?: { at: number; from: number; spoil: (result: Slot) => Slot },
): Promise<Room> {
  const room = new Room({ startWith: tabs, steps: STEPS }, 1, { limits });
  for (let tab = 0; tab < tabs; tab++) {
    const engineOf = (wait: (ms: number) => Promise<void>): MemberEngine =>
      wrong?.at === tab ? new WrongEngine(wait, wrong.from, wrong.spoil) : new ToyEngine(wait);
    room.open(undefined, undefined, engineOf);
  }
  await room.until(() => room.isEnded, 200_000);
  expect(room.step).toBe(STEPS);
  return room;
}

function expectSameLosses(room: Room, reference: Room): void {
  const expected = reference.losses();
  expect(room.losses().size).toBe(STEPS);
  for (const [step, loss] of room.losses()) {
    // The order of the float32 sums differs with the members, nothing else does.
    expect(Math.abs(loss - (expected.get(step) ?? 0)) / loss, `step ${step}`).toBeLessThan(1e-5);
  }
}

test("right members are never suspected, and audits change no loss", async () => {
  const [plain, audited] = [await trained(4, { auditEvery: 0, auditSlots: 0 }), await trained(4, ALL)];
  expectSameLosses(audited, plain);
  expect(audited.refusals).toEqual([]);
  expect(audited.linesOf("abort")).toEqual([]);
});

test.each([
  ["a gradient that is one percent too long", scaled],
  ["what is not finite", notFinite],
])("where all is computed twice, %s is in no commit: its member is put out and told why", async (_what, spoil) => {
  const reference = await trained(4, ALL);
  const room = await trained(4, ALL, { at: 2, from: 8, spoil });
  expectSameLosses(room, reference);
  expect(room.refusals).toHaveLength(1);
  expect(room.refusals[0]).toMatch(/^peer-2: This device's result for slot \d of step 8 .* wrongly; it was last seen/);
  expect(room.linesOf("rollback")).toEqual([]);
  expect(room.state.durable.quarantines.get("device-of-peer-2")?.count).toBe(1);
  expect(room.linesOf("step").at(-1)?.members).not.toContain("peer-2");
});

test("without any audit, a member that finds nothing finite is found out by the slot that it names", async () => {
  const off = { auditEvery: 0, auditSlots: 0 };
  const room = await trained(3, off, { at: 0, from: 5, spoil: notFinite });
  expectSameLosses(room, await trained(3, off));
  expect(room.refusals).toEqual([expect.stringMatching(/^peer-0: .*slot \d of step 5/)]);
});

test("one audited slot in two steps finds a wrong member of three after a while", async () => {
  const room = await trained(3, { auditEvery: 2, auditSlots: 1 }, { at: 1, from: 3, spoil: scaled });
  expect(room.refusals).toEqual([expect.stringMatching(/^peer-1: /)]);
});
