/** A run under way: lines in, faults out, and the one outcome that ends it. */
import { present } from "../../src/base/assert.ts";
import type { Clock } from "../../src/base/clock.ts";
import { describeError } from "../../src/base/errors.ts";
import { sleep, withDeadline } from "../../src/base/wait.ts";
import type { RosterEntry } from "../../src/network/wire/messages.ts";
import type { RunLine } from "../../src/network/wire/run-line.ts";
import type { Conductor, Stage } from "./conductor.ts";
import { FaultRunner, type FaultTarget, type PlannedFault } from "./fault-runner.ts";
import { faultText, type Fault } from "./faults.ts";
import { Fleet } from "./fleet.ts";
import type { LineLog } from "./line-log.ts";
import type { Recorded } from "./line-recorder.ts";
import { Observer } from "./observer.ts";
import type { SwarmOptions } from "./options.ts";
import type { ProcessGroups } from "./processes.ts";
import { ProgressMeter } from "./progress.ts";
import { judgeEnd, parseBytesSent, summarizeRun, type SwarmExit, type SwarmResult, type TabReport } from "./result.ts";
import type { SwarmHooks } from "./run-swarm.ts";
import type { ServerProcess } from "./server-process.ts";
import { writeState, type SwarmState } from "./state-file.ts";
import type { Tab } from "./tab.ts";
import { Watchdog, type WatchdogLimits } from "./watchdog.ts";

const POLL_MS = 1_000;
/** A killed server comes back after so long. */
const SERVER_AWAY_MS = 1_000;
/** For pages to say that they have finished, after the run's last line. */
const FINISH_MS_MAX = 10_000;
/** From a page's end to its last count of bytes. */
const LAST_COUNT_MS = 1_000;
/** Polls in a row that find every page stopped, before the run is given up. */
const STOPPED_POLLS_MAX = 3;

export interface SwarmRunOptions {
  readonly options: SwarmOptions;
  readonly hooks: SwarmHooks;
  readonly directory: string;
  readonly server: ServerProcess;
  readonly state: SwarmState;
  /** Lines of the run's earlier parts. */
  readonly earlier: readonly RunLine[];
  readonly log: LineLog;
  /** Those that have not happened yet. */
  readonly faults: readonly PlannedFault[];
  readonly limits: WatchdogLimits;
  readonly clock: Clock;
  readonly groups: ProcessGroups;
}

interface Outcome {
  readonly exitCode: SwarmExit;
  readonly reason: string;
}

export class SwarmRun implements FaultTarget {
  readonly #given: SwarmRunOptions;
  readonly #fleet: Fleet;
  readonly #observer: Observer;
  readonly #faults: FaultRunner;
  readonly #conductor: Conductor | null;
  readonly #watchdog: Watchdog;
  readonly #meter: ProgressMeter;
  readonly #lines: RunLine[] = [];
  readonly #notes: string[] = [];
  readonly #startedAtMs: number;
  readonly #outcome: Promise<Outcome>;
  #settle: (outcome: Outcome) => void = () => {};
  #isSettled = false;
  #hasEnd = false;
  #stoppedPolls = 0;
  #state: SwarmState;
  #cancelPoll: () => void = () => {};
  readonly #cancelThaws: (() => void)[] = [];

  constructor(given: SwarmRunOptions) {
    const { options, directory, clock, groups, server } = given;
    this.#given = given;
    this.#state = given.state;
    this.#startedAtMs = clock.nowMs();
    this.#watchdog = new Watchdog(given.limits, this.#startedAtMs);
    this.#meter = new ProgressMeter(options.steps);
    this.#outcome = new Promise((resolve) => {
      this.#settle = (outcome) => {
        this.#isSettled = true;
        resolve(outcome);
      };
    });
    this.#fleet = new Fleet({
      directory,
      urlOf: (tab) => {
        const device = present(options.devices[tab % options.devices.length], "a device");
        const ice = present(options.ice[tab % options.ice.length], "a policy");
        return `${this.#url}?${new URLSearchParams({ device, paths: options.paths, ice })}`;
      },
      sharedProfile: options.sharedProfile,
      headful: options.headful,
      files: [options.text, options.from].filter((path) => path !== null),
      initScript: given.hooks.initScript ?? null,
      clock,
      groups,
      onGone: (tab) => this.#onGone(tab),
    });
    this.#observer = new Observer({
      origin: server.origin,
      room: this.#state.room,
      earlier: given.earlier,
      clock,
      onRecorded: (recorded) => this.#onRecorded(recorded),
      onRoster: (members) => this.#onRoster(members),
      onRefused: (reason) => this.#fail(`the server refused the observer: ${reason}`),
    });
    const { lastStep } = this.#observer.recorder;
    this.#faults = new FaultRunner({ faults: given.faults, seed: options.faultSeed, lastStep, clock, target: this });
    this.#conductor = given.hooks.conduct?.(this.#stage()) ?? null;
    server.onUnexpectedExit = (reason) => this.#fail(`${reason}; its log is ${directory}/server.log`);
  }

  /** Opens the tabs and follows the run to its outcome. Ends the tabs; the server is the caller's. */
  async run(): Promise<SwarmResult> {
    const { hooks, options, clock } = this.#given;
    const onAbort = (): void => this.#fail("the run was interrupted");
    hooks.signal?.addEventListener("abort", onAbort);
    if (hooks.signal?.aborted) onAbort();
    const { timeoutMs } = options;
    const cancelTimeout =
      timeoutMs === null
        ? () => {}
        : clock.after(timeoutMs, () => this.#fail(`the run was not over after ${timeoutMs / 1000} s`));
    try {
      this.#observer
        .welcomed()
        .then(() => this.#openTabs(options.tabs))
        .catch((error: unknown) => this.#fail(describeError(error)));
      this.#schedulePoll();
      const outcome = await this.#outcome;
      return await this.#conclude(outcome);
    } finally {
      cancelTimeout();
      hooks.signal?.removeEventListener("abort", onAbort);
      this.#faults.close();
      this.#conductor?.close();
      this.#observer.close();
      this.#cancelPoll();
      for (const cancel of this.#cancelThaws) cancel();
      await this.#fleet.close();
    }
  }

  announce(fault: Fault): void {
    // Before it strikes: the driver itself may be the next to go.
    this.#saveState({ faultsDone: [...this.#state.faultsDone, faultText(fault)] });
    this.#emit({ type: "fault", kind: fault.kind, step: fault.step });
    const tab = "tab" in fault ? this.#fleet.get(fault.tab) : undefined;
    this.note(`${faultText(fault)}${tab?.peer ? ` (${tab.peer})` : ""}`);
  }

  kill(index: number): boolean {
    return this.#present(index)?.kill() ?? false;
  }

  leave(index: number): boolean {
    const tab = this.#present(index);
    tab?.leave().catch((error: unknown) => this.note(`tab ${index}: leaving: ${describeError(error)}`));
    return tab !== null;
  }

  freeze(index: number, seconds: number): boolean {
    const tab = this.#present(index);
    if (!tab?.freeze()) return false;
    this.#cancelThaws.push(this.#given.clock.after(seconds * 1000, () => tab.thaw()));
    return true;
  }

  join(count: number): void {
    this.#openTabs(count).catch((error: unknown) => this.#fail(describeError(error)));
  }

  killGpu(): boolean {
    return this.#fleet.killGpus() > 0;
  }

  killServer(): void {
    const { server, clock } = this.#given;
    const restart = async (): Promise<void> => {
      await server.kill();
      await sleep(SERVER_AWAY_MS, clock);
      if (this.#isSettled) return;
      await server.start();
      this.#saveState({});
    };
    restart().catch((error: unknown) => this.#fail(`restarting the server: ${describeError(error)}`));
  }

  killAll(): void {
    this.#settle({ exitCode: 3, reason: `all tabs and the server were killed; --resume goes on` });
    this.#fleet.killAll();
    void this.#given.server.kill();
  }

  note(text: string): void {
    this.#notes.push(text);
    this.#given.hooks.onNote?.(text);
  }

  #stage(): Stage {
    return {
      fleet: this.#fleet,
      announce: (kind) => this.#emit({ type: "fault", kind, step: this.#observer.recorder.lastStep + 1 }),
      killServer: () => this.killServer(),
      note: (text) => this.note(text),
      finish: (reason) => {
        if (!this.#isSettled && !this.#hasEnd) this.#settle({ exitCode: 0, reason });
      },
    };
  }

  get #url(): string {
    return `${this.#given.server.origin}/room/${this.#state.room}`;
  }

  async #openTabs(count: number): Promise<void> {
    await this.#fleet.open(count);
    this.#saveState({});
  }

  #present(index: number): Tab | null {
    const tab = this.#fleet.get(index);
    return tab && tab.state !== "gone" ? tab : null;
  }

  #onRecorded({ lines, note, isWrong }: Recorded): void {
    if (note !== null) this.note(note);
    for (const line of lines) this.#emit(line);
    if (isWrong) this.#fail(note ?? "the run's history contradicts itself");
  }

  #emit(line: RunLine): void {
    if (this.#isSettled || this.#hasEnd) return; // Nothing may follow the run's last line.
    const nowMs = this.#given.clock.nowMs();
    this.#lines.push(line);
    this.#given.log.write(line);
    this.#given.hooks.onLine?.(line);
    this.#conductor?.onLine(line);
    if (line.type === "rollback") {
      this.#meter.onRollback(line.to);
      this.#faults.onRollback(line.to);
    }
    if (line.type === "waiting") this.#meter.note = line.reason;
    if (line.type === "step") {
      this.#meter.onStep(line, nowMs);
      this.#watchdog.onStep(line.step, nowMs);
      this.#faults.onStep(line);
      this.#given.hooks.onProgress?.(this.#meter.progress);
    }
    if (line.type === "end") void this.#finish();
  }

  #onRoster(members: readonly RosterEntry[]): void {
    if (members.some((member) => member.state === "training"))
      this.#faults.onRunning(this.#observer.recorder.lastStep + 1);
  }

  #onGone(tab: Tab): void {
    const reason = tab.goneReason ?? "gone";
    if (!["killed", "left", "closed at the end"].includes(reason)) this.note(`tab ${tab.index}: ${reason}`);
  }

  #schedulePoll(): void {
    // Often while a page has yet to say who it is: a fault may strike it soon.
    const isUnknown = this.#fleet.tabs.some((tab) => tab.state === "live" && tab.peer === null);
    this.#cancelPoll = this.#given.clock.after(isUnknown ? POLL_MS / 4 : POLL_MS, () => {
      void this.#poll().finally(() => {
        if (!this.#isSettled || this.#hasEnd) this.#schedulePoll();
      });
    });
  }

  async #poll(): Promise<void> {
    await this.#fleet.poll();
    if (this.#isSettled || this.#hasEnd) return;
    this.#conductor?.onPoll();
    const { clock, hooks, groups } = this.#given;
    if (groups.pids.join() !== this.#state.pids.join()) this.#saveState({});
    const stuck = this.#watchdog.check(this.#fleet.liveCount, clock.nowMs());
    if (stuck !== null) this.#fail(stuck);
    else if (this.#isDeserted()) this.#fail(`no tab is left at step ${this.#observer.recorder.lastStep}`);
    else await this.#checkStopped();
    hooks.onProgress?.(this.#meter.progress);
  }

  #isDeserted(): boolean {
    return this.#observer.isConnected && this.#fleet.tabs.length > 0 && this.#fleet.isEmpty && !this.#faults.isStriking;
  }

  /** Pages that were refused, or cannot take part, say why and stay there. */
  async #checkStopped(): Promise<void> {
    const live = this.#fleet.tabs.filter((tab) => tab.state === "live");
    const stopped = live.filter((tab) => tab.facts["phase"] === "stopped");
    this.#stoppedPolls = live.length > 0 && stopped.length === live.length ? this.#stoppedPolls + 1 : 0;
    const [first] = stopped;
    if (this.#stoppedPolls < STOPPED_POLLS_MAX || !first) return;
    this.#fail(`every tab has stopped: ${await first.words()}`);
  }

  /** The `end` line is there: pages get a moment to see it, then the run is judged. */
  async #finish(): Promise<void> {
    this.#hasEnd = true;
    this.#faults.close();
    const { clock, earlier, options } = this.#given;
    const end = clock.nowMs() + FINISH_MS_MAX;
    const isOpen = (tab: Tab): boolean =>
      tab.state === "live" && ["training", "syncing"].includes(tab.facts["phase"] ?? "");
    do {
      await this.#fleet.poll();
      if (!this.#fleet.tabs.some(isOpen)) break;
      await sleep(POLL_MS / 4, clock);
    } while (clock.nowMs() < end);
    await sleep(LAST_COUNT_MS, clock);
    await this.#fleet.poll();
    const left = this.#faults.left.map(faultText);
    if (left.length > 0) this.note(`never happened: ${left.join(", ")}`);
    const outcome = judgeEnd([...earlier, ...this.#lines], options.steps);
    if (outcome.exitCode === 0) this.#saveState({ isFinished: true });
    this.#settle(outcome);
  }

  #fail(reason: string): void {
    if (!this.#isSettled) this.#settle({ exitCode: 1, reason });
  }

  async #conclude(outcome: Outcome): Promise<SwarmResult> {
    const { clock, directory, earlier } = this.#given;
    const wallMs = clock.nowMs() - this.#startedAtMs;
    const tabs = await Promise.all(this.#fleet.tabs.map((tab) => this.#reportOf(tab, outcome)));
    const { summary, parameters } = summarizeRun([...earlier, ...this.#lines], this.#parametersTold());
    const url = this.#url;
    return { ...outcome, lines: this.#lines, summary, parameters, wallMs, directory, url, tabs, notes: this.#notes };
  }

  async #reportOf(tab: Tab, outcome: Outcome): Promise<TabReport> {
    const { index, peer, state, goneReason, trouble } = tab;
    const asked = outcome.exitCode === 1 ? tab.words() : Promise.resolve(`phase ${tab.facts["phase"] ?? "none"}`);
    const words = await withDeadline("asking a tab", asked, this.#given.clock, { deadlineMs: FINISH_MS_MAX });
    const bytesSent = parseBytesSent(tab.facts["bytes"]);
    const engine = tab.facts["engine"] || null;
    const iceRestarts = Number(tab.facts["iceRestarts"] ?? 0);
    const lanes = (tab.facts["lanes"] ?? "").split(" ").filter(Boolean).map(Number);
    return { index, peer, state, goneReason, words, engine, trouble, bytesSent, iceRestarts, lanes };
  }

  /** A page that knows may say `data-parameters`. */
  #parametersTold(): number | null {
    const told = this.#fleet.tabs.map((tab) => Number(tab.facts["parameters"])).find((count) => count > 0);
    return told ?? null;
  }

  #saveState(change: Partial<SwarmState>): void {
    this.#state = { ...this.#state, ...change, pids: this.#given.groups.pids };
    writeState(this.#given.directory, this.#state);
  }
}
