/**
 * The order of a run's lines as an observer must write them: each committed step once, again after a ROLLBACK, none
 * lost or doubled when the connection to the server broke in between. Pure: messages in, lines out.
 *
 * A server says on each hello how far the log is (`welcome`, with the losses so far) and repeats the last step's line.
 */
import { firstStepOf, type RunSpec } from "../../src/network/wire/run-spec.ts";
import type { HistoryPoint } from "../../src/network/wire/messages.ts";
import type { RunLine, StepLine } from "../../src/network/wire/run-line.ts";

export interface Recorded {
  readonly lines: readonly RunLine[];
  /** A sentence for people where something was filled in or is wrong. */
  readonly note: string | null;
  /** True where the history contradicts itself: a step committed twice with different contents. */
  readonly isWrong: boolean;
}

const NOTHING: Recorded = { lines: [], note: null, isWrong: false };

export class LineRecorder {
  #last = 0;
  /** Chain of each step in the current history; "" where the line was filled in. */
  readonly #chains = new Map<number, string>();
  #history: readonly HistoryPoint[] = [];
  #incarnation = 0;

  /** Goes on after `earlier`, the lines of a run that is resumed. */
  constructor(earlier: readonly RunLine[] = []) {
    for (const line of earlier) {
      if (line.type === "step") this.#keep(line);
      else if (line.type === "rollback") this.#goBack(line.to);
    }
  }

  /** The last committed step that has a line. */
  get lastStep(): number {
    return this.#last;
  }

  /** On each connection. A log that is shorter than what was seen was rolled back while nobody listened. */
  onWelcome(welcome: {
    readonly step: number;
    readonly incarnation: number;
    readonly history: readonly HistoryPoint[];
    readonly spec?: RunSpec;
  }): Recorded {
    // A run that goes on from a checkpoint has no steps before.
    const first = welcome.spec ? firstStepOf(welcome.spec) : 0;
    this.#last = Math.max(this.#last, first);
    const step = Math.max(welcome.step, first);
    this.#history = welcome.history;
    this.#incarnation = welcome.incarnation;
    if (step >= this.#last) return NOTHING;
    this.#goBack(step);
    const note = `the run went back to step ${step} while the server was away`;
    return { lines: [{ type: "rollback", to: step }], note, isWrong: false };
  }

  onLine(line: RunLine): Recorded {
    if (line.type === "rollback") this.#goBack(line.to);
    if (line.type !== "step") return { ...NOTHING, lines: [line] };
    if (line.step > this.#last) return this.#advance(line);
    const known = this.#chains.get(line.step);
    if (known === line.chain || known === "") return NOTHING;
    const note = `step ${line.step} was committed again with another chain and no rollback`;
    this.#goBack(line.step);
    this.#keep(line);
    return { lines: [line], note, isWrong: true };
  }

  #advance(line: StepLine): Recorded {
    const losses = new Map(this.#history.map((point) => [point.step, point.loss]));
    const filled: StepLine[] = [];
    for (let step = this.#last + 1; step < line.step; step++) {
      filled.push(this.#fill(step, losses.get(step) ?? Number.NaN, line));
    }
    for (const each of [...filled, line]) this.#keep(each);
    const first = filled[0]?.step;
    const last = filled.at(-1)?.step;
    const note = filled.length > 0 ? `missed the lines of steps ${first} to ${last}: their losses are the log's` : null;
    return { lines: [...filled, line], note, isWrong: false };
  }

  /** A line of what the log's history knows: the loss. What the votes had told is lost with the server that heard them. */
  #fill(step: number, loss: number, next: StepLine): StepLine {
    return {
      type: "step",
      step,
      loss,
      incarnation: this.#incarnation,
      epoch: next.epoch,
      members: next.members,
      chain: "",
      ms: 0,
      transport: {},
      bytesSent: {},
      times: {},
    };
  }

  #keep(line: StepLine): void {
    this.#last = line.step;
    this.#chains.set(line.step, line.chain);
  }

  #goBack(step: number): void {
    for (let after = step + 1; after <= this.#last; after++) this.#chains.delete(after);
    this.#last = Math.min(this.#last, step);
  }
}
