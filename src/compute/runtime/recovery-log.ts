/**
 * What has been done since the bytes of all leaves were last copied to main memory: enough to do it again on another
 * device. Copies (*bases*) are taken seldom enough that they cost little, and often enough that the log stays short.
 *
 * All work is a function of its leaves, random numbers included, so doing it again gives the same bits.
 */
import type { Bytes } from "../../base/bytes.ts";
import type { Clock } from "../../base/clock.ts";
import type { Node } from "../compiler/ir.ts";

/** One thing that changed leaves. */
export type LogEntry =
  | { readonly kind: "write"; readonly leaf: Node; readonly bytes: Bytes }
  /** Computes `leaves` again: those that it reads are as they were. */
  | { readonly kind: "work"; readonly leaves: readonly Node[]; readonly again: () => Promise<void> };

/** A base is taken when the log is so long, or so large. */
const ENTRIES_MAX = 512;
const BYTES_MAX = 64 * 2 ** 20;
/** Otherwise at most this share of the time is spent on bases. */
const SHARE_MAX = 0.02;
const BETWEEN_MS_MIN = 250;

/** Leaves that were released while entries may still read them, and their bases. */
type Released = Map<Node, Bytes | null>;

export class RecoveryLog {
  readonly #clock: Clock;
  #entries: LogEntry[] = [];
  #released: Released = new Map();
  #bytes = 0;
  #nextMs = 0;
  /** What came before the base that is being taken. */
  #before: { readonly entries: LogEntry[]; readonly released: Released } | null = null;
  #isReplaying = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get entries(): readonly LogEntry[] {
    return [...(this.#before?.entries ?? []), ...this.#entries];
  }

  get released(): ReadonlyMap<Node, Bytes | null> {
    return new Map([...this.#released, ...(this.#before?.released ?? [])]);
  }

  noteWrite(leaf: Node, bytes: Bytes): void {
    this.#entries.push({ kind: "write", leaf, bytes });
    this.#bytes += bytes.byteLength;
  }

  noteWork(leaves: readonly Node[], again: () => Promise<void>): void {
    this.#entries.push({ kind: "work", leaves, again });
  }

  /** Leaves that nothing since the base has touched are gone for good. */
  noteRelease(leaf: Node, base: Bytes | null): void {
    const isUntouched = this.#entries.length === 0 && this.#before === null;
    if (isUntouched && !this.#isReplaying) return;
    this.#released.set(leaf, base);
  }

  /** True when it is time to take a base. */
  get isDue(): boolean {
    if (this.#before !== null || this.#isReplaying || this.#entries.length === 0) return false;
    return this.#isLong || this.#clock.nowMs() >= this.#nextMs;
  }

  get #isLong(): boolean {
    return this.#entries.length >= ENTRIES_MAX || this.#bytes >= BYTES_MAX;
  }

  /**
   * Begins anew with the bytes that `read` gives of the leaves as they are at this call.
   *
   * @param adopt notes them; called only if all could be read
   */
  async takeBase(read: () => Promise<readonly Bytes[]>, adopt: (bytes: readonly Bytes[]) => void): Promise<void> {
    const startMs = this.#clock.nowMs();
    const before = { entries: this.#entries, released: this.#released };
    this.#before = before;
    this.#entries = [];
    this.#released = new Map();
    this.#bytes = 0;
    try {
      adopt(await read());
      const tookMs = this.#clock.nowMs() - startMs;
      this.#nextMs = startMs + Math.max(BETWEEN_MS_MIN, tookMs / SHARE_MAX);
    } catch (error) {
      this.#entries = [...before.entries, ...this.#entries];
      this.#released = new Map([...this.#released, ...before.released]);
      throw error;
    } finally {
      if (this.#before === before) this.#before = null;
    }
  }

  /** True while the log is being done again: what comes then waits for its turn. */
  get isReplaying(): boolean {
    return this.#isReplaying;
  }

  /** Runs `work`, which does the log again, entries that are added meanwhile included. */
  async replaying(work: () => Promise<void>): Promise<void> {
    this.#isReplaying = true;
    try {
      await work();
    } finally {
      this.#isReplaying = false;
    }
  }
}
