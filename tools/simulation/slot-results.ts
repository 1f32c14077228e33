/** What a simulated device makes of the slots of a step, right or wrong, and what it says of the audited ones. */
import { SKETCH, type Fingerprint } from "../../src/network/wire/messages.ts";
import type { PlanMessage } from "../../src/training/recovery/member.ts";
import type { SimDisk } from "./sim-disk.ts";
import type { World } from "./world.ts";

export interface SlotResults {
  /** What a wrong driver leaves in the gradient; the empty text where it is right. */
  readonly taint: string;
  readonly fingerprints: readonly (readonly [slot: number, fingerprint: Fingerprint | null])[];
}

/** Ranks whose slots are computed at `rank` too. */
export function backedBy({ backups = [] }: PlanMessage, rank: number): number[] {
  return backups.filter(([, by]) => by === rank).map(([of]) => of);
}

/** Of a wrong result: it is not finite. */
const NAN_CHANCE = 0.2;

/** A device whose driver is right draws no random numbers. */
export function slotResults(
  plan: PlanMessage,
  rank: number,
  { device, wrongness }: SimDisk,
  world: World,
): SlotResults {
  const own = [rank, ...backedBy(plan, rank)].flatMap((of) => plan.slots[of] ?? []);
  const audits = plan.audits ?? [];
  const audited = new Set(audits.map(({ slot }) => slot));
  const others = audits.filter((audit) => audit.rank === rank).map(({ slot }) => slot);
  const isWrong = (): boolean => wrongness > 0 && world.chance(wrongness);
  const wrong = new Set(own.filter(isWrong));
  const say = (slot: number, isOff: boolean): readonly [number, Fingerprint | null] => [
    slot,
    isOff ? wrongFingerprint(slot, world) : rightFingerprint(slot),
  ];
  return {
    taint: wrong.size > 0 ? `${device}.${plan.epoch}.${plan.step}` : "",
    fingerprints: [
      ...own.filter((slot) => audited.has(slot)).map((slot) => say(slot, wrong.has(slot))),
      ...others.map((slot) => say(slot, isWrong())),
    ],
  };
}

function rightFingerprint(slot: number): Fingerprint {
  return { loss: 1, norm: 1, sketch: Array.from({ length: SKETCH }, (_, at) => Math.cos(slot + at) / 4) };
}

/** Off by more than the bound, each time by something else. */
function wrongFingerprint(slot: number, world: World): Fingerprint | null {
  if (world.chance(NAN_CHANCE)) return null;
  const right = rightFingerprint(slot);
  const off = world.between(0.1, 1);
  return { ...right, sketch: right.sketch.map((value) => value + off * (world.random.uniform() - 0.5)) };
}
