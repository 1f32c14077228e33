/** What people see while a swarm runs: a bar on a terminal, a line now and then elsewhere. On stderr, so that stdout is the summary's. */
import type { WriteStream } from "node:tty";
import type { RunLine } from "../../src/network/wire/run-line.ts";
import { describeProgress, progressBar, type Progress } from "./progress.ts";

const CLEAR_LINE = "\r\u001b[2K";
const BAR_MS = 100;
/** Between plain lines. */
const PLAIN_MS = 10_000;

export class SwarmConsole {
  readonly #out: Pick<WriteStream, "write" | "isTTY" | "columns">;
  readonly #nowMs: () => number;
  #shownAtMs = Number.NEGATIVE_INFINITY;
  #shown = "";
  #hasBar = false;

  constructor(out: Pick<WriteStream, "write" | "isTTY" | "columns">, nowMs: () => number) {
    this.#out = out;
    this.#nowMs = nowMs;
  }

  progress(progress: Progress): void {
    const isOver = progress.step === progress.steps;
    const sinceMs = this.#nowMs() - this.#shownAtMs;
    if (!isOver && sinceMs < (this.#out.isTTY ? BAR_MS : PLAIN_MS)) return;
    const text = this.#out.isTTY ? progressBar(progress, this.#out.columns || 80) : describeProgress(progress);
    if (text === this.#shown && !this.#out.isTTY) return;
    this.#shownAtMs = this.#nowMs();
    this.#shown = text;
    this.#out.write(this.#out.isTTY ? `${CLEAR_LINE}${text}` : `${text}\n`);
    this.#hasBar = this.#out.isTTY;
  }

  /** A sentence of its own, above the bar. */
  note(text: string): void {
    this.clear();
    this.#out.write(`${text}\n`);
    if (this.#out.isTTY && this.#shown !== "") {
      this.#out.write(this.#shown);
      this.#hasBar = true;
    }
  }

  /** Lines that people want to know of; steps are the bar's. */
  line(line: RunLine): void {
    const text = describeLine(line);
    if (text !== null) this.note(text);
  }

  /** Takes the bar away. */
  clear(): void {
    if (this.#hasBar) this.#out.write(CLEAR_LINE);
    this.#hasBar = false;
  }
}

function describeLine(line: RunLine): string | null {
  switch (line.type) {
    case "member": {
      const verb = { join: "joined", leave: "left", lost: "was lost" }[line.event];
      return `step ${line.step}: ${line.peer} ${verb}${line.reason ? ` (${line.reason})` : ""}`;
    }
    case "abort":
      return `step ${line.step}: aborted, ${line.reason}`;
    case "rollback":
      return `rolled back to step ${line.to}`;
    case "straggler":
      return `step ${line.step}: ${line.peer}, ${line.action}: ${line.reason}`;
    case "decision":
      return `step ${line.step}: ${line.text}`;
    case "waiting":
      return line.reason;
    case "checkpoint": {
      const errors = Object.entries(line.errors ?? {}).map(([peer, error]) => `; ${peer}: ${error}`);
      const [needed, parts] = line.scheme ?? [1, line.copies];
      const how =
        needed === 1 ? `${line.copies} ${line.copies === 1 ? "copy" : "copies"}` : `any ${needed} of ${parts}`;
      return `checkpoint of step ${line.step}, ${how}${errors.join("")}`;
    }
    case "recovery": {
      const parts = line.sources.map(({ source, shards, ms }) => `${shards} from ${source} in ${Math.round(ms)} ms`);
      return `step ${line.step}: ${line.peer} got shards: ${parts.join(", ")}`;
    }
    default:
      return null;
  }
}
