/**
 * How much redundancy a checkpoint needs: copies while few leave, parity where many do, so that the chance of losing a checkpoint before a
 * repair can mend it is below a target; from the measured rate at which devices leave.
 *
 * Devices are taken to leave independently. Those that belong together (tabs of one browser) are one device already.
 */
import { assert } from "../../base/assert.ts";

/** k chunks of data and n - k of parity a stripe; k = 1 is replication, on n devices. */
export interface Scheme {
  readonly dataChunks: number;
  readonly chunks: number;
}

export interface Churn {
  /** Departures for good a device and hour, as measured. */
  readonly leavesPerHour: number;
  /** From a departure to the repair of what it held. */
  readonly repairHours: number;
}

export interface Choice {
  readonly scheme: Scheme;
  /** Chance of losing the checkpoint within one time of repair: for the page. */
  readonly lossChance: number;
  /** Bytes stored a byte of state. */
  readonly overhead: number;
  readonly reason: string;
}

/** Beyond it, more devices are more places that must answer for one restore. */
const DATA_CHUNKS_MAX = 8;
/** Parity a stripe at most: what an epoch's messages have room for. */
const PARITY_MAX = 8;
/** Devices that may go at once whatever the rate, where there are more than so many. */
const LOSSES_MIN = 2;

/** Chance that a device is gone within the time that a repair takes. */
function leaveChance({ leavesPerHour, repairHours }: Churn): number {
  return 1 - Math.exp(-leavesPerHour * repairHours);
}

/** Chance that a stripe is lost, more than n - k of n devices gone: sum over i > n - k of C(n, i) p^i (1 - p)^(n - i). */
export function lossChanceOf({ dataChunks, chunks }: Scheme, chance: number): number {
  let [sum, ways] = [0, 1];
  for (let gone = 0; gone <= chunks; gone++) {
    if (gone > chunks - dataChunks) sum += ways * chance ** gone * (1 - chance) ** (chunks - gone);
    ways = (ways * (chunks - gone)) / (gone + 1);
  }
  return sum;
}

/**
 * Chance at most that a checkpoint of `stripes` stripes on `devices` devices is lost. Each stripe is on devices of its own choice:
 * so it is lost by any of `stripes` losses of one, and not before n - k + 1 of all devices are gone.
 */
function checkpointLossChance(scheme: Scheme, chance: number, devices: number, stripes: number): number {
  const losses = scheme.chunks - scheme.dataChunks;
  const ofAll = lossChanceOf({ dataChunks: devices - losses, chunks: devices }, chance);
  return Math.min(ofAll, stripes * lossChanceOf(scheme, chance));
}

/** What is to be achieved. */
export interface Target {
  readonly lossChanceMax: number;
  /** So many copies are still cheap, and restoring and repairing them is copying. */
  readonly copiesMax: number;
  /** What stripes are made of. */
  readonly shards: number;
}

/** A few copies if they do; else the fewest bytes under the chance that `devices` can hold; else copies everywhere. */
export function chooseScheme(devices: number, churn: Churn, { lossChanceMax, copiesMax, shards }: Target): Choice {
  assert(devices >= 1, `chooseScheme: ${devices} devices`);
  const chance = leaveChance(churn);
  const lossOf = (scheme: Scheme): number =>
    checkpointLossChance(scheme, chance, devices, Math.ceil(shards / scheme.dataChunks));
  const enough = schemesFor(devices).filter((scheme) => lossOf(scheme) <= lossChanceMax);
  const costOf = ({ dataChunks, chunks }: Scheme): number => chunks / dataChunks;
  const copies = enough.filter(({ dataChunks, chunks }) => dataChunks === 1 && chunks <= copiesMax);
  const best = (copies.length > 0 ? copies : enough).toSorted(
    (a, b) => costOf(a) - costOf(b) || a.chunks - b.chunks,
  )[0];
  const scheme = best ?? { dataChunks: 1, chunks: devices };
  const lossChance = lossOf(scheme);
  return { scheme, lossChance, overhead: costOf(scheme), reason: reasonOf(scheme, best !== undefined) };
}

function schemesFor(devices: number): Scheme[] {
  const schemes: Scheme[] = [];
  const losses = Math.min(LOSSES_MIN, devices - 1);
  for (let dataChunks = 1; dataChunks <= Math.min(devices, DATA_CHUNKS_MAX); dataChunks++) {
    const chunksMax = Math.min(devices, dataChunks + (dataChunks === 1 ? devices : PARITY_MAX));
    for (let chunks = dataChunks + losses; chunks <= chunksMax; chunks++) schemes.push({ dataChunks, chunks });
  }
  return schemes;
}

function reasonOf({ dataChunks, chunks }: Scheme, isEnough: boolean): string {
  const what = dataChunks === 1 ? `${chunks} copies` : `any ${dataChunks} of ${chunks} parts`;
  return isEnough ? `${what} are enough at the present rate of leaving` : `${what}: more devices would make it safer`;
}
