/** What a path does to packets, as a pure function: loss, a queue that drains at a rate, and a delay. */
import { OptionError } from "../../src/base/errors.ts";

/** Of each direction of each connection. */
export interface Impairment {
  readonly delayMs: number;
  /** Of packets, in [0, 1). */
  readonly loss: number;
  /** Null for no limit. */
  readonly bytesPerMs: number | null;
}

export const NO_IMPAIRMENT: Impairment = { delayMs: 0, loss: 0, bytesPerMs: null };

/** One direction: when its queue is empty. */
export interface PathState {
  readonly freeAtMs: number;
}

/** What waits longer in a queue is dropped, as routers do. */
const QUEUE_MS_MAX = 200;

/** When a packet arrives, or null when it is lost. `uniform` is a random number in [0, 1). */
export function passPacket(
  path: PathState,
  bytes: number,
  nowMs: number,
  uniform: number,
  { delayMs, loss, bytesPerMs }: Impairment,
): { readonly path: PathState; readonly arrivesAtMs: number | null } {
  if (uniform < loss) return { path, arrivesAtMs: null };
  if (bytesPerMs === null) return { path, arrivesAtMs: nowMs + delayMs };
  const startsAtMs = Math.max(nowMs, path.freeAtMs);
  if (startsAtMs - nowMs > QUEUE_MS_MAX) return { path, arrivesAtMs: null };
  const freeAtMs = startsAtMs + bytes / bytesPerMs;
  return { path: { freeAtMs }, arrivesAtMs: freeAtMs + delayMs };
}

/** What is done to a run: how its path is, and what happens to it in the middle. */
export interface Treatment {
  /** As it was asked for: "delay=20". */
  readonly name: string;
  readonly impairment: Impairment;
  /** Nothing passes for so long, from the middle of the run on. */
  readonly cutMs: number;
  /** In the middle of the run every connection gets another port, as behind a router that forgot them. */
  readonly changesPorts: boolean;
}

/** What `--impair` takes. */
export const TREATMENTS = "none, delay=MS, loss=PERCENT, rate=MBITS, cut=SECONDS, ports";

/**
 * A treatment, several parts with `+`: "delay=20+loss=1". A packet between two tabs passes twice, so each pass has half of
 * the delay and of the loss. @throws OptionError
 */
export function parseTreatment(text: string): Treatment {
  let treatment: Treatment = { name: text, impairment: NO_IMPAIRMENT, cutMs: 0, changesPorts: false };
  for (const part of text.split("+")) treatment = withPart(treatment, part);
  return treatment;
}

function withPart(treatment: Treatment, part: string): Treatment {
  const [kind, value = ""] = part.split("=");
  const amount = /^\d{1,5}(\.\d{1,3})?$/.test(value) ? Number(value) : Number.NaN;
  const { impairment } = treatment;
  if (kind === "none" && value === "") return treatment;
  if (kind === "ports" && value === "") return { ...treatment, changesPorts: true };
  if (kind === "delay" && amount >= 0) return { ...treatment, impairment: { ...impairment, delayMs: amount / 2 } };
  if (kind === "loss" && amount < 100) return { ...treatment, impairment: { ...impairment, loss: amount / 200 } };
  if (kind === "rate" && amount > 0) {
    return { ...treatment, impairment: { ...impairment, bytesPerMs: (amount * 1_000_000) / 8 / 1_000 } };
  }
  if (kind === "cut" && amount > 0) return { ...treatment, cutMs: amount * 1_000 };
  throw new OptionError(`--impair: expected ${TREATMENTS}, or some of them with + between, found "${part}"`);
}
