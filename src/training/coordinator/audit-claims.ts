/**
 * What devices say of one slot, and who of them is outvoted. Pure.
 *
 * Devices round differently, so claims are compared within a bound. A claim counts once a device: two tabs on one broken
 * GPU say the same.
 */
import type { Hash } from "../../base/hash.ts";
import type { PeerId } from "../../network/transport/transport.ts";
import type { Fingerprint } from "../../network/wire/messages.ts";

/** What a device's tab said; null for something that is not finite. */
export interface Claim {
  readonly peer: PeerId;
  readonly joinedAtMs: number;
  readonly fingerprint: Fingerprint | null;
}

/** By device. */
export type Claims = ReadonlyMap<string, Claim>;

/** A slot that devices disagree about. It is the same computation in every attempt at the step, so claims stay. */
export interface Dispute {
  /** Chain of the state that the slot is computed from. */
  readonly base: Hash;
  readonly slot: number;
  readonly claims: Claims;
  /** What was said before all were asked a second time, since nobody was left to ask; null until then. */
  readonly before: Claims | null;
}

/**
 * Of the larger gradient's norm. Two devices' float32 gradients of char-gpt differ by 2 x 10^-7 of it (wasm and reference
 * device, `test/training/parallel/fingerprint.test.ts`); a driver that is off by 10^-3 would train all the same.
 */
const RELATIVE_MAX = 1e-3;
/** A gradient that vanishes is the difference of terms of about 1, each rounded to 6 x 10^-8. */
const ABSOLUTE_MAX = 1e-6;

/** True where two devices can have computed the same. */
export function agree(a: Fingerprint | null, b: Fingerprint | null): boolean {
  return isNear(a, b, RELATIVE_MAX);
}

/** True where they differ by `relativeMax` of the larger one at most. What is not finite is near to nothing. */
export function isNear(a: Fingerprint | null, b: Fingerprint | null, relativeMax: number): boolean {
  if (a === null || b === null) return false;
  const bound = (size: number): number => relativeMax * size + ABSOLUTE_MAX;
  const apart = Math.hypot(...a.sketch.map((value, at) => value - (b.sketch[at] ?? Number.NaN)));
  // The sum over the sketch's squares is that of the gradients' difference, give or take a third.
  return (
    Math.abs(a.loss - b.loss) <= bound(Math.max(Math.abs(a.loss), Math.abs(b.loss))) &&
    Math.abs(a.norm - b.norm) <= bound(Math.max(a.norm, b.norm)) &&
    apart <= bound(Math.max(a.norm, b.norm))
  );
}

/** True where every claim agrees with every other. */
export function isUnanimous(claims: Claims): boolean {
  const list = [...claims.values()];
  return list.every((one, at) => list.slice(at + 1).every((other) => agree(one.fingerprint, other.fingerprint)));
}

/** Devices that differ from the largest group that agrees; null where no group of two or more is the largest. */
export function outvoted(claims: Claims): string[] | null {
  const groups = [...claims.values()].map(({ fingerprint }) =>
    [...claims].filter(([, other]) => agree(fingerprint, other.fingerprint)).map(([device]) => device),
  );
  const most = Math.max(0, ...groups.map(({ length }) => length));
  const largest = new Set(groups.filter(({ length }) => length === most).map((group) => group.join("\n")));
  const [group] = groups.filter(({ length }) => length === most);
  if (most < 2 || largest.size > 1 || !group) return null;
  return [...claims.keys()].filter((device) => !group.includes(device));
}

/**
 * Who goes where nobody can arbitrate, and why. What is not finite cannot be right, nor can whoever contradicts itself;
 * then whoever was put out more often before, and of the rest the newest.
 */
export function lastResort(
  { claims, before }: Dispute,
  timesOut: (device: string) => number,
): { readonly device: string; readonly why: string } | undefined {
  const doubts: readonly [why: string, doubt: (device: string, claim: Claim) => number][] = [
    ["it is not finite", (_, { fingerprint }) => (fingerprint === null ? 1 : 0)],
    ["when asked again it gave another", (device, claim) => (isSteady(claim, before?.get(device)) ? 0 : 1)],
    ["nobody could arbitrate, and its results have differed before", timesOut],
    ["nobody could arbitrate, so the newest one goes", (_, { joinedAtMs }) => joinedAtMs],
  ];
  for (const [why, doubt] of doubts) {
    const [first, second] = [...claims]
      .map(([device, claim]) => ({ device, doubt: doubt(device, claim) }))
      .sort((a, b) => b.doubt - a.doubt);
    if (first && first.doubt > (second?.doubt ?? -1)) return { device: first.device, why };
  }
  const [device] = [...claims.keys()].sort().slice(-1);
  return device === undefined ? undefined : { device, why: "nobody could arbitrate" };
}

function isSteady(claim: Claim, before: Claim | undefined): boolean {
  return before === undefined || agree(claim.fingerprint, before.fingerprint);
}
