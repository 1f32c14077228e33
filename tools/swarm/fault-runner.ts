/** Carries out the faults of a command line, each at its seeded moment inside its step. */
import type { Clock } from "../../src/base/clock.ts";
import type { StepLine } from "../../src/network/wire/run-line.ts";
import { faultDelayMs, faultText, type Fault } from "./faults.ts";

/** What faults are done to. */
export interface FaultTarget {
  /** Written before the fault strikes, so that its consequences follow its line. */
  announce(fault: Fault): void;
  /** False where the tab is not there. */
  kill(tab: number): boolean;
  leave(tab: number): boolean;
  freeze(tab: number, seconds: number): boolean;
  join(count: number): void;
  /** False where no browser has a GPU process. */
  killGpu(): boolean;
  killServer(): void;
  killAll(): void;
  note(text: string): void;
}

export interface PlannedFault {
  readonly fault: Fault;
  /** Its place in the command line. */
  readonly index: number;
}

export interface FaultRunnerOptions {
  readonly faults: readonly PlannedFault[];
  readonly seed: number;
  /** The last committed step so far. */
  readonly lastStep: number;
  readonly clock: Clock;
  readonly target: FaultTarget;
}

/** Step times that the moment inside the next step is reckoned by. */
const RECENT = 9;

export class FaultRunner {
  readonly #options: FaultRunnerOptions;
  readonly #waiting: Set<PlannedFault>;
  /** Those whose moment is near, with what cancels them. */
  readonly #near = new Map<PlannedFault, () => void>();
  readonly #recentMs: number[] = [];
  /** Steps up to here were over before anybody watched. */
  #floor: number;

  constructor(options: FaultRunnerOptions) {
    this.#options = options;
    this.#waiting = new Set(options.faults);
    this.#floor = options.lastStep;
  }

  /** Faults that have not struck. */
  get left(): readonly Fault[] {
    return [...this.#near.keys(), ...this.#waiting].map(({ fault }) => fault);
  }

  /** True while a fault's moment is near: more tabs may be about to come. */
  get isStriking(): boolean {
    return this.#near.size > 0;
  }

  onStep(line: StepLine): void {
    if (line.ms > 0) this.#recentMs.push(line.ms);
    if (this.#recentMs.length > RECENT) this.#recentMs.shift();
    this.onRunning(line.step + 1);
  }

  onRollback(to: number): void {
    this.#floor = Math.min(this.#floor, to);
  }

  /** `step` is being trained. Said again and again, heard once for each fault; one whose step went by unseen is due too. */
  onRunning(step: number): void {
    const { seed, clock } = this.#options;
    for (const planned of this.#waiting) {
      if (planned.fault.step > step || planned.fault.step <= this.#floor) continue;
      this.#waiting.delete(planned);
      const delayMs = faultDelayMs(seed, planned.index, this.#recentMs);
      const cancel = clock.after(delayMs, () => {
        this.#near.delete(planned);
        this.#strike(planned.fault);
      });
      this.#near.set(planned, cancel);
    }
  }

  /** Nothing strikes any more. */
  close(): void {
    for (const [planned, cancel] of this.#near) {
      cancel();
      this.#waiting.add(planned);
    }
    this.#near.clear();
  }

  #strike(fault: Fault): void {
    const { target } = this.#options;
    target.announce(fault);
    if (!this.#apply(fault))
      target.note(`${faultText(fault)}: ${"tab" in fault ? "the tab" : "its process"} was not there`);
  }

  #apply(fault: Fault): boolean {
    const { target } = this.#options;
    switch (fault.kind) {
      case "kill":
        return target.kill(fault.tab);
      case "leave":
        return target.leave(fault.tab);
      case "freeze":
        return target.freeze(fault.tab, fault.seconds);
      case "join":
        target.join(fault.count);
        return true;
      case "kill-gpu":
        return target.killGpu();
      case "kill-server":
        target.killServer();
        return true;
      case "kill-all":
        target.killAll();
        return true;
    }
  }
}
