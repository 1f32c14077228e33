/** How far a run is, for people: one line, and the figures it is made of. Pure; `console.ts` writes it. */
import type { StepLine } from "../../src/network/wire/run-line.ts";

export interface Progress {
  readonly step: number;
  readonly steps: number;
  readonly loss: number | null;
  readonly stepsPerSecond: number | null;
  readonly members: number;
  /** Estimated, in milliseconds. */
  readonly leftMs: number | null;
  /** What the page or the coordinator says while nothing is trained. */
  readonly note: string;
}

/** Steps that the speed is measured over. */
const WINDOW = 10;
const BAR_WIDTH = 24;

/** Follows step lines and says how far they are. */
export class ProgressMeter {
  readonly #steps: number;
  readonly #arrivals: { readonly step: number; readonly atMs: number }[] = [];
  #loss: number | null = null;
  #members = 0;
  #step = 0;
  note = "starting";

  constructor(steps: number) {
    this.#steps = steps;
  }

  onStep(line: StepLine, nowMs: number): void {
    this.#step = line.step;
    this.#loss = line.loss;
    this.#members = line.members.length;
    this.note = "";
    this.#arrivals.push({ step: line.step, atMs: nowMs });
    if (this.#arrivals.length > WINDOW) this.#arrivals.shift();
  }

  onRollback(to: number): void {
    this.#step = to;
    this.#arrivals.length = 0;
  }

  get progress(): Progress {
    const first = this.#arrivals[0];
    const last = this.#arrivals.at(-1);
    const passedMs = first && last ? last.atMs - first.atMs : 0;
    const stepsPerSecond = passedMs > 0 ? ((this.#arrivals.length - 1) * 1000) / passedMs : null;
    return {
      step: this.#step,
      steps: this.#steps,
      loss: this.#loss,
      stepsPerSecond,
      members: this.#members,
      leftMs: stepsPerSecond === null ? null : ((this.#steps - this.#step) * 1000) / stepsPerSecond,
      note: this.note,
    };
  }
}

/** "12/60  loss 3.9120  0.8 steps/s  4 members  1:02 left". */
export function describeProgress(progress: Progress): string {
  const { step, steps, loss, stepsPerSecond, members, leftMs, note } = progress;
  const parts = [
    `${step}/${steps}`,
    loss === null ? null : `loss ${loss.toFixed(4)}`,
    stepsPerSecond === null ? null : `${stepsPerSecond.toFixed(stepsPerSecond < 10 ? 2 : 0)} steps/s`,
    members > 0 ? `${members} ${members === 1 ? "member" : "members"}` : null,
    leftMs === null || step >= steps ? null : `${clockTime(leftMs)} left`,
    note === "" ? null : note,
  ];
  return parts.filter((part) => part !== null).join("  ");
}

/** The same with a bar before it, cut to `columns`. */
export function progressBar(progress: Progress, columns: number): string {
  const done = Math.round((BAR_WIDTH * progress.step) / Math.max(1, progress.steps));
  const bar = `[${"#".repeat(done)}${".".repeat(BAR_WIDTH - done)}]`;
  return `${bar} ${describeProgress(progress)}`.slice(0, Math.max(20, columns - 1));
}

function clockTime(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${String(seconds % 60).padStart(2, "0")}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
}
