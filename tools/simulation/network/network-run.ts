/**
 * One seed of the network's simulation: members run their tasks, agree on who is gone, shrink, and do again what
 * failed. The code under test is the production code; what is simulated is time and the wires.
 */
import { Random } from "../../../src/base/random.ts";
import { describeError, HearthError } from "../../../src/base/errors.ts";
import { bytesOf } from "../../../src/base/bytes.ts";
import { Group } from "../../../src/network/collectives/group.ts";
import type { Verdict } from "../../../src/network/collectives/verdict/judge.ts";
import { Mux } from "../../../src/network/mux.ts";
import { SimulatedNetwork } from "../../../src/network/transport/simulated/simulated-network.ts";
import { VirtualClock } from "../../../src/network/transport/simulated/virtual-clock.ts";
import { nextEpoch } from "../../../src/network/collectives/subgroup.ts";
import { PLANTS, tampered } from "./plants.ts";
import type { Plant } from "./plants.ts";
import { scenarioOf } from "./scenario.ts";
import type { Harm, Scenario } from "./scenario.ts";
import { expectedOf, inputOf, runTask, toleranceOf } from "./tasks.ts";
import { tamperingTransport } from "./tampering-transport.ts";

/** What a seed came to. */
export interface NetworkResult {
  readonly violations: readonly string[];
  readonly faults: Readonly<Record<string, number>>;
  readonly simulatedMs: number;
  /** Members that finished all tasks. */
  readonly finished: number;
  /** Living members that agreed verdicts count on and that were left out or gave up, where links broke meanwhile. */
  readonly missing: number;
}

export interface NetworkRunOptions {
  readonly seed: number;
  readonly nodesMax: number;
  /** A name of `PLANTS`. */
  readonly plant?: string | undefined;
}

const DEADLINE_MS = 8_000;
const VERDICT = { silenceMsMax: 1_000, agreementMsMax: 1_500 };
/** Far beyond all deadlines: six groups' worth. */
const END_MS = 100_000;
const FIRST_OPERATION = 10;
const AGREEMENT_OPERATION = 1_000;

interface Member {
  readonly peer: number;
  readonly mux: Mux;
  readonly plant: Plant | null;
  group: Group;
  end: string | null;
  readonly verdicts: { readonly epoch: number; readonly verdict: Verdict }[];
}

export async function runNetwork({ seed, nodesMax, plant }: NetworkRunOptions): Promise<NetworkResult> {
  const run = new NetworkRun(scenarioOf(seed, nodesMax), plant === undefined ? null : (PLANTS[plant] ?? null));
  return run.run();
}

class NetworkRun {
  readonly #scenario: Scenario;
  readonly #plant: Plant | null;
  readonly #clock = new VirtualClock(() => new Promise((resolve) => setImmediate(resolve)));
  readonly #network: SimulatedNetwork;
  readonly #members: Member[] = [];
  readonly #violations: string[] = [];
  readonly #faults: Record<string, number> = {};
  readonly #dead = new Set<number>();

  constructor(scenario: Scenario, plant: Plant | null) {
    this.#scenario = scenario;
    this.#plant = plant;
    const random = new Random(scenario.seed, "network");
    this.#network = new SimulatedNetwork({ clock: this.#clock, random, ...scenario.links });
  }

  async run(): Promise<NetworkResult> {
    await this.#connect();
    const startMs = this.#clock.nowMs();
    this.#network.disturb(this.#scenario.noise);
    for (const [kind, rate] of Object.entries(this.#scenario.noise))
      if (rate > 0 && kind !== "reorderMsMax") this.#count(kind);
    for (const harm of this.#scenario.harms) this.#plan(harm);
    for (const member of this.#members) void this.#live(member);
    const isOver = (): boolean => this.#members.every(({ peer, end }) => end !== null || this.#dead.has(peer));
    while (!isOver() && this.#clock.nowMs() - startMs < END_MS) await this.#clock.advance(100);
    this.#checkEnds();
    const missing = this.#checkVerdicts();
    return {
      violations: this.#violations,
      faults: this.#faults,
      simulatedMs: this.#clock.nowMs() - startMs,
      finished: this.#members.filter(({ end }) => end === "finished").length,
      missing,
    };
  }

  async #connect(): Promise<void> {
    const { size, framePayloadBytes } = this.#scenario;
    const peers = Array.from({ length: size }, (_, peer) => nameOf(peer));
    const muxes = peers.map((peer, at) => new Mux({ transport: this.#transportOf(peer, at) }));
    const dials = muxes.flatMap((mux) =>
      peers.filter((peer) => peer > mux.self).map((peer) => mux.connect(peer, { deadlineMs: 20_000 })),
    );
    await this.#clock.run(Promise.all(dials));
    await this.#clock.advance(200);
    for (const [peer, mux] of muxes.entries()) {
      const plant = this.#plantAt(peer);
      const clock = this.#network.clockOf(mux.self);
      const fence = { incarnation: 1, epoch: 1 };
      const options = { mux, members: peers, fence, clock, framePayloadBytes, verdict: VERDICT, ...plant?.group };
      this.#members.push({
        peer,
        mux,
        plant,
        group: new Group({ ...options, near: nearOf(size) }),
        end: null,
        verdicts: [],
      });
    }
  }

  #transportOf(peer: string, at: number): ReturnType<SimulatedNetwork["join"]> {
    const transport = this.#network.join(peer);
    const plant = this.#plantAt(at);
    if (plant?.frame === undefined && plant?.bytes === undefined) return transport;
    return tamperingTransport(transport, (message) => {
      const member = this.#members[at];
      return member === undefined ? message : tampered(plant, message, member.group.fence);
    });
  }

  #plantAt(peer: number): Plant | null {
    return this.#plant?.at === "all" || peer % 3 === 1 ? this.#plant : null;
  }

  /** A member's life: tasks one after another; after a verdict, again from the first that somebody lacks. */
  async #live(member: Member): Promise<void> {
    let next = 0;
    for (;;) {
      try {
        for (; next < this.#scenario.tasks.length; next++) await this.#perform(member, next);
        await member.group.barrier(this.#optionsFor(FIRST_OPERATION + next));
        member.end = "finished";
        return;
      } catch (error) {
        if (!(error instanceof HearthError)) this.#violate(`peer ${member.peer}: ${describeError(error)}`);
        const { verdict } = member.group;
        if (verdict !== null) member.verdicts.push({ epoch: member.group.fence.epoch, verdict });
        if (verdict?.isAgreed !== true) {
          member.end = error instanceof HearthError ? error.code : "bug";
          return;
        }
      }
      try {
        this.#shrink(member);
      } catch (error) {
        this.#violate(`peer ${member.peer} cannot shrink: ${describeError(error)}`);
        member.end = "bug";
        return;
      }
      try {
        next = await this.#firstLacking(member, next);
      } catch (error) {
        if (!(error instanceof HearthError)) this.#violate(`peer ${member.peer}: ${describeError(error)}`);
        // The next round meets the same group, whose verdict is there by now, or never comes.
      }
    }
  }

  async #perform(member: Member, at: number): Promise<void> {
    const task = this.#scenario.tasks[at];
    if (task === undefined) return;
    const { group, plant, peer } = member;
    const peers = group.members.map(numberOf);
    const input = this.#inputOf(peer, at);
    const options = this.#optionsFor(FIRST_OPERATION + at);
    const got = await runTask(group, task, peers, options, input, plant?.call ?? {});
    const expected = expectedOf(task, peers, group.rank);
    const tolerance = toleranceOf(task, peers.length);
    const isRight =
      got.length === expected.length && got.every((value, i) => Math.abs(value - (expected[i] ?? 0)) <= tolerance);
    const what = `${task.verb} ${at} of ${peers.length} by ${task.algorithm ?? "default"}, ${task.codec}`;
    if (!isRight) this.#violate(`wrong result delivered as right: ${what}, epoch ${group.fence.epoch}`);
    if (task.verb === "all-reduce")
      this.#compare(`${what} ${group.fence.epoch} ${group.members.join()}`, bytesOf(got).join());
  }

  /** Inputs are made once: what an operation does to them shows when it is done again. */
  readonly #inputs = new Map<string, ReturnType<typeof inputOf>>();
  #inputOf(peer: number, at: number): ReturnType<typeof inputOf> {
    const key = `${peer} ${at}`;
    const task = this.#scenario.tasks[at];
    const known = this.#inputs.get(key) ?? (task ? inputOf(task, peer) : new Float32Array(0));
    this.#inputs.set(key, known);
    return known;
  }

  readonly #results = new Map<string, string>();
  #compare(what: string, bits: string): void {
    const known = this.#results.get(what) ?? bits;
    this.#results.set(what, known);
    if (known !== bits) this.#violate(`not the same bits on all ranks: ${what}`);
  }

  #shrink(member: Member): void {
    const { group, plant, mux } = member;
    if (plant?.shrunken === undefined) {
      member.group = group.shrink();
      return;
    }
    const members = plant.shrunken(group.verdict?.survivors ?? []);
    group.close("shrunken");
    const clock = this.#network.clockOf(mux.self);
    member.group = new Group({ mux, members, fence: nextEpoch(group.fence), clock, verdict: VERDICT });
  }

  /** The first task that somebody who is left has not finished. */
  async #firstLacking({ group }: Member, next: number): Promise<number> {
    const bounds = Array.from({ length: group.size + 1 }, (_, rank) => rank);
    const all = await group.allGather(Uint8Array.of(next), bounds, this.#optionsFor(AGREEMENT_OPERATION));
    return Math.min(...all);
  }

  #optionsFor(operation: number): { operation: number; category: "gradients"; deadlineMs: number } {
    return { operation, category: "gradients", deadlineMs: DEADLINE_MS };
  }

  #plan({ kind, atMs, forMs, victim, other }: Harm): void {
    const [a, b] = [nameOf(victim), nameOf(other)];
    if (victim === other && !["kill", "freeze", "freezeAndThaw"].includes(kind)) return;
    this.#count(kind);
    this.#clock.after(atMs, () => {
      if (kind === "kill" || kind === "freeze") this.#dead.add(victim);
      if (kind === "kill") this.#network.kill(a);
      if (kind === "freeze" || kind === "freezeAndThaw") this.#network.freeze(a);
      if (kind === "breakLinks") this.#network.breakLinks(a, b);
      if (kind === "cut" || kind === "cutAndHeal") this.#network.cut(a, b);
      if (kind === "cutOneWay") this.#network.cutOneWay(a, b);
    });
    this.#clock.after(atMs + forMs, () => {
      if (kind === "freezeAndThaw" && !this.#dead.has(victim)) this.#network.thaw(a);
      if (kind === "cutAndHeal") this.#network.heal(a, b);
    });
  }

  /** Where members only die, and no frame is lost, all who live finish what they began. */
  #checkEnds(): void {
    const { harms, noise } = this.#scenario;
    const living = this.#members.filter(({ peer }) => !this.#dead.has(peer));
    for (const { peer, end } of living) if (end === null) this.#violate(`hang: peer ${peer} waits still`);
    if (!this.#isMild || noise.loss || noise.corruption || noise.reordering) return;
    const isLiving = (name: string): boolean => living.some(({ peer }) => nameOf(peer) === name);
    for (const { peer, verdicts } of living) {
      const leftOut = verdicts.flatMap(({ verdict }) => verdict.lost.filter(isLiving));
      if (leftOut.length > 0) this.#violate(`peer ${peer} leaves out the living: ${leftOut.join(", ")}`);
    }
    const hasFinished = ({ end }: Member): boolean => end === "finished";
    // Where somebody died, whoever passed the last barrier may leave before others have heard of it.
    if (harms.length === 0 ? living.every(hasFinished) : living.some(hasFinished)) return;
    if (living.length > 0) this.#violate(`not finished: ${living.map(({ end }) => end).join(", ")}`);
  }

  /** Members die, and no link between the living breaks. */
  get #isMild(): boolean {
    return this.#scenario.harms.every(({ kind }) => kind === "kill" || kind === "freeze");
  }

  /** Members that count on one another agree. How many agreed verdicts count on one that has no agreed one. */
  #checkVerdicts(): number {
    let missing = 0;
    for (const one of this.#members) {
      for (const { epoch, verdict } of one.verdicts.filter(({ verdict: { isAgreed } }) => isAgreed)) {
        for (const other of this.#members.filter(({ peer }) => verdict.survivors.includes(nameOf(peer)))) {
          const theirs = other.verdicts.find((found) => found.epoch === epoch)?.verdict;
          if (theirs === undefined || !theirs.survivors.includes(nameOf(one.peer))) continue;
          if (theirs.lost.join() === verdict.lost.join()) continue;
          if (theirs.isAgreed || this.#isMild)
            this.#violate(`epoch ${epoch}: ${one.peer} lost ${verdict.lost}, ${other.peer} lost ${theirs.lost}`);
          else missing += 1;
        }
      }
    }
    return missing;
  }

  #count(kind: string): void {
    this.#faults[kind] = (this.#faults[kind] ?? 0) + 1;
  }

  #violate(what: string): void {
    this.#violations.push(what);
  }
}

function nameOf(peer: number): string {
  return `peer-${String(peer).padStart(2, "0")}`;
}

function numberOf(name: string): number {
  return Number(name.slice(5));
}

function nearOf(size: number): number[][] {
  const all = Array.from({ length: size }, (_, rank) => rank);
  return [all.filter((rank) => rank % 3 > 0), all.filter((rank) => rank % 3 === 0)].filter((group) => group.length > 0);
}
