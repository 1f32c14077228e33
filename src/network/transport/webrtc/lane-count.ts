/** How many peer connections a pair gets. */
import type { Clock } from "../../../base/clock.ts";
import { sleep } from "../../../base/wait.ts";

/** Beyond this round trip one connection's window no longer fills the path. */
const ROUND_TRIP_MS_MIN = 5;
const LANES_FAR = 4;
/** Measurements to wait for: the shortest counts, since a busy machine only ever adds to one. */
const ROUND_TRIPS_WANTED = 3;
/** Between looks at how long a path is. */
const MEASURE_MS = 500;
const LOOKS_MAX = 20;

/** For one more connection to a peer that has one. */
export const LANE_MS_MAX = 10_000;

/** One lane nearby; four far away. Null while too little is measured. */
export function laneCount(roundTripsMs: readonly number[]): number | null {
  if (roundTripsMs.some((ms) => ms <= ROUND_TRIP_MS_MIN)) return 1;
  return roundTripsMs.length < ROUND_TRIPS_WANTED ? null : LANES_FAR;
}

export interface LaneMeasurement {
  /** False ends it: the connection is gone. */
  readonly isWanted: () => boolean;
  /** Milliseconds; null before there was one. */
  readonly roundTripMs: () => Promise<number | null>;
  readonly clock: Clock;
}

/** Looks at a path until it is known how many lanes it is to have; one where that does not show. */
export async function measureLanes({ isWanted, roundTripMs, clock }: LaneMeasurement): Promise<number> {
  const roundTripsMs: number[] = [];
  for (let looks = 0; looks < LOOKS_MAX && laneCount(roundTripsMs) === null; looks++) {
    await sleep(MEASURE_MS, clock);
    if (!isWanted()) return 1;
    const ms = await roundTripMs();
    if (ms !== null) roundTripsMs.push(ms);
  }
  return laneCount(roundTripsMs) ?? 1;
}

/** Milliseconds, by a connection's own checks of its path; null before there was one. */
export async function roundTripMsOf(connection: RTCPeerConnection): Promise<number | null> {
  for (const report of (await connection.getStats()).values() as Iterable<Record<string, unknown>>) {
    if (report["type"] !== "candidate-pair" || report["nominated"] !== true) continue;
    const seconds = report["currentRoundTripTime"] as number | undefined;
    if (seconds !== undefined) return 1_000 * seconds;
  }
  return null;
}
