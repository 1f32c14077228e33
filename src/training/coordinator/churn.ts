/** How often devices leave for good, as far as this coordinator has seen: what decides how much redundancy checkpoints get. */
import type { Draft } from "./draft.ts";
import type { State } from "./state.ts";

/** Devices seen so far, and how long they were here. */
export interface Presence {
  readonly devices: ReadonlySet<string>;
  /** Sum over devices of the time that a member ran there. */
  readonly deviceMs: number;
  /** Counted up to here; null before the first count. */
  readonly countedAtMs: number | null;
}

export const NOBODY_SEEN: Presence = { devices: new Set(), deviceMs: 0, countedAtMs: null };

/** Believed before anything was seen: one departure in ten hours of a device, as if one hour had shown it. */
const PRIOR_HOURS = 1;
const PRIOR_LEAVES = 0.1;
const HOUR_MS = 3_600_000;

/** Counts the devices that are here, since the last count. To be called at ticks. */
export function countDevices(draft: Draft): void {
  const { presence } = draft.state;
  const here = devicesHere(draft.state);
  const isNew = [...here].some((device) => !presence.devices.has(device));
  const devices = isNew ? new Set([...presence.devices, ...here]) : presence.devices;
  const passedMs = draft.nowMs - (presence.countedAtMs ?? draft.nowMs);
  const deviceMs = presence.deviceMs + here.size * passedMs;
  draft.patch({ presence: { devices, deviceMs, countedAtMs: draft.nowMs } });
}

/** Devices that were here and are not, for each hour of a device that was seen. */
export function leavesPerHour(state: State): number {
  const { devices, deviceMs } = state.presence;
  const here = devicesHere(state);
  const gone = [...devices].filter((device) => !here.has(device)).length;
  return (PRIOR_LEAVES + gone) / (PRIOR_HOURS + deviceMs / HOUR_MS);
}

function devicesHere({ peers }: State): Set<string> {
  const joined = [...peers.values()].filter((peer) => peer.status === "joined");
  return new Set(joined.map((peer) => peer.info.device));
}
