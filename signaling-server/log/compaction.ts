/**
 * What a log can be shortened to: the records that still matter, in their old order, the quarantines that are
 * remembered, and the losses as one record.
 *
 * A commit record is about 16 kB, and only the last one is ever used again. Folding the short log gives the same state
 * as folding the long one.
 */
import { present } from "../../src/base/assert.ts";
import type { LogRecord } from "../../src/training/coordinator/protocol.ts";
import { quarantineRecords } from "../../src/training/coordinator/quarantine.ts";
import { initialState, replay, type State } from "../../src/training/coordinator/state.ts";
import type { LogSummary } from "./log-store.ts";

interface Numbered {
  readonly index: number;
  readonly record: LogRecord;
}

type Of<K extends LogRecord["kind"]> = Extract<LogRecord, { kind: K }>;

/** Follows a log record by record, and can say at any time what it is to be shortened to. Keeps about 100 kB. */
export class Compaction {
  #state: State = initialState();
  #index = 0;
  /** The newest of each kind; of checkpoints those that a rollback can still go to, and the newest whatever became of it. */
  readonly #last = new Map<LogRecord["kind"], Numbered>();
  #checkpoints: Numbered[] = [];

  note(record: LogRecord): void {
    const numbered = { index: this.#index++, record };
    this.#state = replay(this.#state, record);
    this.#last.set(record.kind, numbered);
    if (record.kind === "checkpoint") this.#checkpoints.push(numbered);
    const usable = new Set(this.#state.durable.generations.map(({ generation }) => generation));
    const newest = this.#last.get("checkpoint");
    this.#checkpoints = this.#checkpoints.filter(
      (candidate) => candidate === newest || usable.has((candidate.record as Of<"checkpoint">).generation),
    );
  }

  /** The records that fold to the same state as all that were noted. */
  records(): LogRecord[] {
    const kept = [...this.#checkpoints];
    for (const kind of ["room", "incarnation", "epoch"] as const) kept.push(...this.#newest(kind));
    const rollback = this.#newest("rollback");
    const commit = this.#newest("commit").filter(({ index }) => index > (rollback[0]?.index ?? -1));
    kept.push(...commit);
    // A rollback says what the state is until the next commit, and that checkpoints before it are void.
    if (commit.length === 0 || this.#hasVoidCheckpoint()) kept.push(...rollback);
    if (this.#state.durable.endDigests !== null) kept.push(...this.#newest("end"));
    kept.sort((a, b) => a.index - b.index);
    const { quarantines, history } = this.#state.durable;
    const folded = [...quarantineRecords(quarantines), { kind: "history" as const, points: history }];
    return [...kept.map(({ record }) => record), ...folded];
  }

  #newest(kind: LogRecord["kind"]): Numbered[] {
    const found = this.#last.get(kind);
    return found ? [found] : [];
  }

  #hasVoidCheckpoint(): boolean {
    const { generations } = this.#state.durable;
    return this.#checkpoints.length > generations.length;
  }

  /** What the room was made with. @throws InvariantError when the log does not say */
  get #room(): Of<"room"> {
    return present(this.#last.get("room"), "the log's room record").record as Of<"room">;
  }

  get summary(): LogSummary {
    const { generations, endDigests, record } = this.#state.durable;
    return {
      room: this.#room,
      step: record?.step ?? 0,
      hasEnded: endDigests !== null,
      checkpoint: generations.at(-1) ?? null,
    };
  }
}
