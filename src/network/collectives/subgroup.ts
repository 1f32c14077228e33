/** What the options of a group become when its members change. */
import { bytesOf } from "../../base/bytes.ts";
import type { Bytes } from "../../base/bytes.ts";
import type { PeerId } from "../transport/transport.ts";
import type { Fence } from "../wire/frame.ts";
import type { ProgramOptions } from "./group-programs.ts";

/** What goes by ranks. */
interface RankedOptions extends ProgramOptions {
  readonly members: readonly PeerId[];
  readonly shares?: readonly number[];
}

/** The options for some of the members, in their order. Ranks that are gone leave what goes by ranks. */
export function optionsFor<T extends RankedOptions>(options: T, members: readonly PeerId[]): T {
  const { choose: _, shares, ringOrder, near, ...rest } = options;
  const rankOf = (old: number): number => members.indexOf(options.members[old] ?? "");
  const kept = (ranks: readonly number[]): number[] => ranks.map(rankOf).filter((rank) => rank >= 0);
  const isSame = members.length === options.members.length;
  const parts = members.map((peer) => shares?.[options.members.indexOf(peer)] ?? 0);
  const whole = parts.reduce((sum, part) => sum + part, 0);
  const joined = members.map((_, rank) => rank).filter((rank) => !options.members.includes(members[rank] ?? ""));
  return {
    ...rest,
    members,
    ...(shares && whole > 0 && joined.length === 0 ? { shares: parts.map((part) => part / whole) } : {}),
    ...(ringOrder ? { ringOrder: [...kept(ringOrder), ...joined] } : {}),
    ...(near ? { near: [...near.map(kept), joined].filter((group) => group.length > 0) } : {}),
    ...(isSame && options.choose ? { choose: options.choose } : {}),
  } as unknown as T;
}

/** The same group in the next epoch. */
export function nextEpoch(fence: Fence): Fence {
  return { ...fence, epoch: fence.epoch + 1 };
}

/** What a member says when a group is split. */
export interface SplitWish {
  /** Members of one colour are one new group; null joins none. */
  readonly color: number | null;
  /** Ranks follow it; equal keys keep their order. */
  readonly key: number;
  /** The lowest group number that is free at this member. */
  readonly free: number;
}

const NO_COLOR = -1;
/** Bytes of one wish. */
export const WISH_BYTES = 12;

export function encodeWish({ color, key, free }: SplitWish): Bytes {
  return bytesOf(Int32Array.of(color ?? NO_COLOR, key, free));
}

/** The wishes of all, by rank. */
export function decodeWishes(bytes: Bytes): SplitWish[] {
  const words = new Int32Array(bytes.slice().buffer);
  return Array.from({ length: words.length / 3 }, (_, rank) => {
    const [color = NO_COLOR, key = 0, free = 0] = words.subarray(3 * rank, 3 * rank + 3);
    return { color: color === NO_COLOR ? null : color, key, free };
  });
}

/** Old ranks of the members of `color`, in their new order. */
export function ranksOfColor(wishes: readonly SplitWish[], color: number): number[] {
  return wishes
    .flatMap((wish, rank) => (wish.color === color ? [{ ...wish, rank }] : []))
    .sort((a, b) => a.key - b.key || a.rank - b.rank)
    .map(({ rank }) => rank);
}
