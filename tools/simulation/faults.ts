/**
 * What goes wrong, as a script: a list of events drawn from the seed before the run begins, so that one can be left out
 * without changing the others.
 */
import { Random } from "../../src/base/random.ts";
import type { Cluster } from "./cluster.ts";
import { SERVER } from "./sim-network.ts";

export type FaultKind =
  | "crash"
  | "crashTwo"
  | "crashAll"
  | "suspend"
  | "partition"
  | "oneWayLoss"
  | "reorder"
  | "duplicate"
  | "delay"
  | "clockJump"
  | "quotaFull"
  | "eviction"
  | "tornWrite"
  | "bitFlip"
  | "restart"
  /** Between two effects of one event. */
  | "restartInside"
  /** A second coordinator on the same log. */
  | "takeover"
  | "staleRejoin"
  | "slowMember"
  /** A member says that it goes, hands over, and goes. */
  | "retire"
  | "socket"
  /** From now on a device computes wrong gradients, always or now and then. In runs whose slots are audited. */
  | "wrongDriver";

export interface FaultEvent {
  readonly atMs: number;
  readonly kind: FaultKind;
  /** Who is struck: in [0, 1), so that it fits however many there are. */
  readonly pick: number;
  /** How long it lasts, in [0, 1) of the kind's range; or how bad it is. */
  readonly much: number;
}

type Inject = (cluster: Cluster, event: FaultEvent) => void;

const ms = ({ much }: FaultEvent, from: number, to: number): number => from + (to - from) * much;

/** Two devices, or a device and the server. */
function ends(cluster: Cluster, { pick, much }: FaultEvent): [string, string] {
  const places = [...cluster.disks.map(({ device }) => device), SERVER];
  const from = places[Math.floor(pick * places.length)] as string;
  const others = places.filter((place) => place !== from);
  return [from, others[Math.floor(((much * 997) % 1) * others.length)] as string];
}

function noisy(cluster: Cluster, event: FaultEvent, set: (chance: number) => void): void {
  set(0.3);
  cluster.world.after(ms(event, 2_000, 15_000), () => set(0));
}

/** Every kind, by name. */
const INJECT: Readonly<Record<FaultKind, Inject>> = {
  crash: (cluster, { pick }) => cluster.crash(cluster.living(pick)),
  crashTwo: (cluster, { pick }) => {
    cluster.crash(cluster.living(pick));
    cluster.crash(cluster.living(pick));
  },
  crashAll: (cluster, event) => {
    if (event.much < 0.7) return cluster.crash(cluster.living(event.pick));
    for (let member = cluster.living(0); member; member = cluster.living(0)) cluster.crash(member);
  },
  suspend: (cluster, event) => {
    cluster.blow(1);
    cluster.living(event.pick)?.freeze(ms(event, 500, 30_000));
  },
  partition: (cluster, event) => {
    const devices = cluster.disks.map(({ device }) => device);
    const cutAt = 1 + Math.floor(event.pick * (devices.length - 1));
    cluster.blow(devices.length);
    for (const a of devices.slice(0, cutAt)) {
      for (const b of event.pick < 0.5 ? [...devices.slice(cutAt), SERVER] : devices.slice(cutAt)) {
        cluster.network.cut(a, b, ms(event, 1_000, 30_000));
        cluster.network.cut(b, a, ms(event, 1_000, 30_000));
      }
    }
  },
  oneWayLoss: (cluster, event) => {
    cluster.blow(2);
    cluster.network.cut(...ends(cluster, event), ms(event, 1_000, 30_000));
  },
  reorder: (cluster, event) => noisy(cluster, event, (chance) => (cluster.network.reorderChance = chance)),
  duplicate: (cluster, event) => noisy(cluster, event, (chance) => (cluster.network.duplicateChance = chance)),
  delay: (cluster, event) => {
    const [device] = ends(cluster, event);
    cluster.network.delay(device, ms(event, 100, 2_500));
    cluster.world.after(ms(event, 3_000, 15_000), () => cluster.network.delay(device, 0));
  },
  clockJump: (cluster, event) => {
    cluster.server.skewMs += event.pick < 0.5 ? ms(event, 5_000, 120_000) : -ms(event, 5_000, 120_000);
  },
  quotaFull: (cluster, event) => {
    cluster.disk(event.pick).fullUntilMs = cluster.world.nowMs + ms(event, 5_000, 60_000);
  },
  eviction: (cluster, event) => cluster.disk(event.pick).evict(),
  tornWrite: (cluster, event) => {
    cluster.disk(event.pick).isTearing = true;
  },
  bitFlip: (cluster, event) => {
    const member = cluster.living(event.pick);
    if (event.much < 0.5) cluster.disk(event.pick).flip(cluster.world);
    else if (member) member.isFlipping = true;
  },
  restart: (cluster, event) => cluster.restart(() => cluster.server.crash(), ms(event, 200, 5_000)),
  restartInside: (cluster, event) =>
    cluster.restart(() => cluster.server.crashAfter(Math.floor(event.pick * 40)), ms(event, 200, 5_000)),
  takeover: (cluster) => cluster.takeOver(),
  staleRejoin: (cluster, event) => {
    cluster.blow(1);
    cluster.living(event.pick)?.goOffline(ms(event, 8_000, 60_000));
  },
  slowMember: (cluster, event) => {
    const member = cluster.living(event.pick);
    if (!member) return;
    // Much of the time, or in one step of three: long enough to be backed up, and to be left out.
    member.slowness = 3 + 12 * ((event.much * 101) % 1);
    member.isSlowAtTimes = (event.much * 997) % 1 < 0.4;
    cluster.world.after(ms(event, 10_000, 80_000), () => (member.slowness = 1));
  },
  retire: (cluster, event) => cluster.living(event.pick)?.retire(),
  socket: (cluster, event) => cluster.living(event.pick)?.cutSocket(),
  wrongDriver: (cluster, event) => {
    cluster.disk(event.pick).wrongness = event.much < 0.5 ? 1 : event.much;
  },
};

export const FAULT_KINDS: readonly FaultKind[] = Object.keys(INJECT) as FaultKind[];

/** Crashes come more often than the rest, and so does slowness: it takes some steps to show. */
const DRAWN: readonly FaultKind[] = [
  ...(["crash", "crash", "crash", "suspend", "slowMember", "slowMember"] as const),
  ...FAULT_KINDS.filter((kind) => kind !== "retire" && kind !== "wrongDriver"),
];
/** Farewells and wrong drivers are drawn apart: what else a seed does stays as it was before there were any. */
const RETIRES: readonly FaultKind[] = ["retire"];
const RETIRE_SPACING = 8;

/** A seed's script of faults: one every `everyMs` on average, until `untilMs`, and farewells between them. */
export function drawFaults(seed: number, everyMs: number, untilMs: number): FaultEvent[] {
  const farewells = drawOf(RETIRES, new Random(seed, "retire"), RETIRE_SPACING * everyMs, untilMs);
  return [...drawOf(DRAWN, new Random(seed, "faults"), everyMs, untilMs), ...farewells].sort((a, b) => a.atMs - b.atMs);
}

function drawOf(kinds: readonly FaultKind[], random: Random, everyMs: number, untilMs: number): FaultEvent[] {
  const events: FaultEvent[] = [];
  if (everyMs <= 0) return events;
  let atMs = 0;
  for (;;) {
    atMs += 2 * everyMs * random.uniform();
    if (atMs >= untilMs) return events;
    events.push({ atMs: Math.round(atMs), kind: random.pick(kinds), pick: random.uniform(), much: random.uniform() });
  }
}

/** One or two devices whose drivers go wrong, at moments before `untilMs`. */
export function drawWrongDrivers(random: Random, untilMs: number): FaultEvent[] {
  return Array.from({ length: 1 + random.below(2) }, () => ({
    atMs: Math.round(untilMs * random.uniform()),
    kind: "wrongDriver",
    pick: random.uniform(),
    much: random.uniform(),
  }));
}

/** Does to `cluster` what `event` says. */
export function inject(cluster: Cluster, event: FaultEvent): void {
  INJECT[event.kind](cluster, event);
}
