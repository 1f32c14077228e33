/**
 * Takes a run in hand: strikes it by plan from its first committed step on, sees to it that tabs come back, and ends it
 * when its time is over and all tabs have shown the same parameters.
 */
import type { Clock } from "../../src/base/clock.ts";
import { describeError } from "../../src/base/errors.ts";
import type { RunLine } from "../../src/network/wire/run-line.ts";
import type { Conductor, Stage } from "../swarm/conductor.ts";
import type { Tab } from "../swarm/tab.ts";
import type { Casualty, Chronicle, Commit, Return, Struck } from "./chronicle.ts";
import type { ChaosFault, ChaosKind } from "./schedule.ts";
import { Seats } from "./seats.ts";
import { strikeTab, type EndFault, type TabFaultKind } from "./tab-faults.ts";

export interface ConductorOptions {
  readonly stage: Stage;
  readonly tabs: number;
  readonly faults: readonly ChaosFault[];
  readonly everyMs: number;
  /** From the first committed step. */
  readonly durationMs: number;
  /** For all tabs to be back, and in one checkpoint, after that. */
  readonly settleMsMax: number;
  readonly clock: Clock;
}

/** A tab that was struck counts as troubled for so long at least: some faults are noticed only by the silence after them. */
const TROUBLED_MS_MIN = 8_000;
/** A fault that finds too many tabs troubled tries again, until the next one is due. */
const RETRY_MS = 500;
/** A page that says for so many looks in a row that it has stopped will not go on. */
const STOPPED_LOOKS = 3;
const COME_BACK_MS = 2_000;

export class ChaosConductor implements Conductor {
  readonly #options: ConductorOptions;
  readonly #seats: Seats;
  readonly #commits: Commit[] = [];
  readonly #struck: Struck[] = [];
  readonly #missed: ChaosKind[] = [];
  readonly #casualties: Casualty[] = [];
  readonly #returns: Return[] = [];
  /** Of tabs that have not trained since their fault was over. */
  readonly #away = new Map<number, { readonly kind: ChaosKind; readonly endedAtMs: number }>();
  readonly #cancels = new Set<() => void>();
  /** Of faults that last. */
  readonly #ends = new Set<EndFault>();
  /** Tabs that are gone because a fault, or we, wanted it so. */
  readonly #expected = new Set<number>();
  readonly #stoppedLooks = new Map<number, number>();
  #startedAtMs: number | null = null;
  #isOver = false;
  #isClosed = false;
  #endMs = 0;

  constructor(options: ConductorOptions) {
    this.#options = options;
    this.#seats = new Seats(options.tabs);
  }

  get chronicle(): Chronicle {
    return {
      commits: this.#commits,
      struck: this.#struck,
      missed: this.#missed,
      casualties: this.#casualties,
      returns: this.#returns,
      endMs: this.#endMs,
    };
  }

  onLine(line: RunLine): void {
    if (line.type === "step") {
      if (this.#startedAtMs === null) this.#start();
      this.#commits.push({ step: line.step, atMs: this.#sinceStartMs });
      this.#noteReturns(line.members);
    }
    const isWhole = this.#seats.healthy.length === this.#options.tabs;
    if (
      line.type === "checkpoint" &&
      this.#isOver &&
      isWhole &&
      Object.keys(line.digests).length === this.#options.tabs
    )
      this.#options.stage.finish("its time is over, and all tabs are in one checkpoint");
  }

  onPoll(): void {
    if (this.#startedAtMs === null) return;
    const { fleet } = this.#options.stage;
    for (const index of this.#seats.tabs) {
      const tab = fleet.get(index);
      if (tab) this.#lookAt(tab);
    }
    this.#seats.look((index) => {
      const tab = fleet.get(index);
      return { isLive: tab?.state === "live", phase: tab?.facts["phase"] };
    }, this.#options.clock.nowMs());
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#endMs = this.#startedAtMs === null ? 0 : this.#sinceStartMs;
    for (const cancel of this.#cancels) cancel();
    for (const end of this.#ends) end();
  }

  get #sinceStartMs(): number {
    return this.#options.clock.nowMs() - (this.#startedAtMs ?? 0);
  }

  #start(): void {
    const { faults, everyMs, durationMs, settleMsMax, clock, stage } = this.#options;
    this.#startedAtMs = clock.nowMs();
    for (const fault of faults) this.#after(fault.atMs, () => this.#strike(fault, clock.nowMs() + everyMs));
    this.#after(durationMs, () => {
      this.#isOver = true;
      if (settleMsMax === 0) stage.finish("its time is over");
      else stage.note("no more faults: all tabs come together");
    });
    this.#after(durationMs + settleMsMax, () => stage.finish("its time is over, and not all tabs came together"));
  }

  #strike(fault: ChaosFault, untilMs: number): void {
    const { clock } = this.#options;
    if (fault.kind === "kill-server") return this.#strikeServer();
    const tab = this.#pick(fault);
    if (tab) void this.#strikeTab(fault, fault.kind, tab);
    else if (clock.nowMs() < untilMs && !this.#isOver) this.#after(RETRY_MS, () => this.#strike(fault, untilMs));
    else this.#miss(fault.kind, "too many tabs are troubled");
  }

  #pick({ victim }: ChaosFault): Tab | null {
    const index = this.#seats.pick(victim);
    const tab = index === null ? undefined : this.#options.stage.fleet.get(index);
    return tab?.state === "live" ? tab : null;
  }

  #strikeServer(): void {
    this.#announce("kill-server", null);
    this.#options.stage.killServer();
  }

  async #strikeTab(fault: ChaosFault, kind: TabFaultKind, tab: Tab): Promise<void> {
    const { clock, stage } = this.#options;
    const { lastsMs } = fault;
    this.#seats.trouble(tab.index, clock.nowMs() + Math.max(lastsMs, TROUBLED_MS_MIN));
    const isRemoved = kind === "kill" || kind === "leave";
    if (isRemoved) this.#expected.add(tab.index);
    this.#announce(kind, tab, lastsMs);
    try {
      const end = await strikeTab(kind, tab, fault.victim, clock);
      if (end === null) return this.#miss(kind, `tab ${tab.index} has nothing to strike`);
      if (isRemoved) return this.#replace(tab.index, kind, lastsMs, fault.isNewcomer);
      this.#ends.add(end);
      this.#after(lastsMs, () => {
        this.#ends.delete(end);
        end();
        this.#away.set(tab.index, { kind, endedAtMs: this.#sinceStartMs });
      });
    } catch (error) {
      stage.note(`${kind}, tab ${tab.index}: ${describeError(error)}`);
    }
  }

  /** After `pauseMs` another tab comes, with the storage of `index` or with none. */
  #replace(index: number, kind: ChaosKind, pauseMs: number, isNewcomer: boolean): void {
    const { stage } = this.#options;
    this.#after(pauseMs, () => {
      const endedAtMs = this.#sinceStartMs;
      stage.fleet
        .openAnother(isNewcomer ? null : index)
        .then((other) => {
          this.#seats.replace(index, other);
          this.#away.set(other, { kind, endedAtMs });
          stage.note(`tab ${other} comes for tab ${index}, ${isNewcomer ? "as a newcomer" : "with its storage"}`);
        })
        .catch((error: unknown) => {
          if (this.#isClosed) return;
          stage.note(`opening a tab for tab ${index}: ${describeError(error)}`);
          this.#replace(index, kind, COME_BACK_MS, isNewcomer);
        });
    });
  }

  /** A tab that went or stopped by itself is a failure of its own, and is replaced. */
  #lookAt(tab: Tab): void {
    const isStopped = tab.state === "live" && tab.facts["phase"] === "stopped";
    const looks = isStopped ? (this.#stoppedLooks.get(tab.index) ?? 0) + 1 : 0;
    this.#stoppedLooks.set(tab.index, looks);
    const isCasualty = (tab.state === "gone" || looks >= STOPPED_LOOKS) && !this.#expected.has(tab.index);
    if (!isCasualty) return;
    const { clock, stage } = this.#options;
    const reason = isStopped ? `stopped: ${tab.facts["note"] ?? ""}` : (tab.goneReason ?? "gone");
    this.#expected.add(tab.index);
    this.#casualties.push({ tab: tab.index, atMs: this.#sinceStartMs, reason });
    stage.note(`tab ${tab.index} without a fault: ${reason}`);
    this.#seats.trouble(tab.index, clock.nowMs() + TROUBLED_MS_MIN);
    tab.kill();
    this.#replace(tab.index, "kill", COME_BACK_MS, false);
  }

  #noteReturns(members: readonly string[]): void {
    for (const [index, { kind, endedAtMs }] of this.#away) {
      const peer = this.#options.stage.fleet.get(index)?.peer ?? null;
      if (peer === null || !members.includes(peer)) continue;
      this.#away.delete(index);
      this.#returns.push({ kind, tab: index, afterMs: this.#sinceStartMs - endedAtMs });
    }
  }

  #announce(kind: ChaosKind, tab: Tab | null, lastsMs: number = 0): void {
    const { stage } = this.#options;
    const step = (this.#commits.at(-1)?.step ?? 0) + 1;
    stage.announce(kind);
    this.#struck.push({ kind, tab: tab?.index ?? null, step, atMs: this.#sinceStartMs });
    const who = tab === null ? "" : ` tab ${tab.index}${tab.peer === null ? "" : ` (${tab.peer})`}`;
    const length = lastsMs > 0 ? ` for ${(lastsMs / 1000).toFixed(1)} s` : "";
    stage.note(`fault in step ${step}: ${kind}${who}${length}`);
  }

  #miss(kind: ChaosKind, reason: string): void {
    this.#missed.push(kind);
    this.#options.stage.note(`${kind} did not happen: ${reason}`);
  }

  #after(delayMs: number, act: () => void): void {
    if (this.#isClosed) return;
    const cancel = this.#options.clock.after(delayMs, () => {
      this.#cancels.delete(cancel);
      act();
    });
    this.#cancels.add(cancel);
  }
}
