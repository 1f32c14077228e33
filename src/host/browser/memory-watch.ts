/** Looks at the runtime's memory from time to time: for this tab's page at its pace, and for the other members at theirs. */
import type { Clock } from "../../base/clock.ts";
import type { MemorySnapshot } from "../../compute/memory/snapshot.ts";
import type { MemorySummary } from "../../network/wire/memory-summary.ts";
import { summarizeMemory } from "../../training/summarize-memory.ts";

/** People read no faster. */
const LOOK_MS = 250;
/** The coordinator passes it on as seldom. */
const TELL_MS = 2_000;

/** Where memory is looked at, and who hears of it. */
export interface MemoryWatchOptions {
  readonly clock: Clock;
  snapshot(): MemorySnapshot;
  /** This tab's page: whenever what people see has changed. */
  show(memory: MemorySummary): void;
  /** The members: every 2 s at most, and only news. */
  tell(memory: MemorySummary): void;
}

/** Works from its making until `close`. */
export class MemoryWatch {
  readonly #options: MemoryWatchOptions;
  #shown = "";
  #told = "";
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #cancel: () => void = () => {};

  constructor(options: MemoryWatchOptions) {
    this.#options = options;
    this.#look();
  }

  /** The next telling is due even if nothing changed: the coordinator is another one, or has forgotten. */
  forget(): void {
    this.#told = "";
  }

  /** Looks no more. */
  close(): void {
    this.#cancel();
  }

  #look(): void {
    const { clock, snapshot, show, tell } = this.#options;
    this.#cancel = clock.after(LOOK_MS, () => this.#look());
    const memory = summarizeMemory(snapshot());
    const text = JSON.stringify(memory);
    if (text !== this.#shown) show(memory);
    this.#shown = text;
    if (text === this.#told || clock.nowMs() - this.#toldAtMs < TELL_MS) return;
    this.#told = text;
    this.#toldAtMs = clock.nowMs();
    tell(memory);
  }
}
