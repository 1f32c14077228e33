/**
 * Collects what groups tell and gives it in Chrome's trace-event format, which Perfetto and chrome://tracing open. A
 * rank is a process there, each of its links a track, and its arithmetic another.
 */
import type { Span, Trace } from "./trace.ts";

/** An event of the format. Times are in microseconds. */
export interface TraceEvent {
  readonly name: string;
  readonly cat: string;
  /** `X`: has a duration; `b` and `e`: begins and ends, beside others; `M`: names a process or a thread. */
  readonly ph: "X" | "b" | "e" | "M";
  readonly pid: number;
  readonly tid: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly id?: number;
  readonly args: Readonly<Record<string, string | number>>;
}

/** What a trace file holds. */
export interface TraceFile {
  readonly traceEvents: readonly TraceEvent[];
  readonly displayTimeUnit: "ms";
}

/** Work that is no operation: a step's computation. */
export interface ComputeSpan {
  readonly name: string;
  readonly rank: number;
  readonly startMs: number;
  readonly endMs: number;
}

const SPANS_MAX = 200_000;
const OPERATIONS = "operations";
const ARITHMETIC = "arithmetic";

/** `new Group({ ..., trace: recorder.trace })`, as many groups as there are. */
export class TraceRecorder {
  /** Takes a span in; the newest 200,000 are kept. */
  readonly trace: Trace = (span) => this.#add(span);
  #spans: Span[] = [];
  readonly #compute: ComputeSpan[] = [];

  /** Work beside the operations, to be seen with them. */
  compute(span: ComputeSpan): void {
    this.#compute.push(span);
  }

  /** What was told so far. */
  get spans(): readonly Span[] {
    return this.#spans;
  }

  /** The content of a trace file: `JSON.stringify(recorder.file())`. */
  file(): TraceFile {
    const tracks = new Tracks();
    const events = this.#spans.flatMap((span, id) => eventsOf(span, id, tracks));
    const computed = this.#compute.map(({ name, rank, startMs, endMs }): TraceEvent => {
      const times = { ts: 1_000 * startMs, dur: 1_000 * (endMs - startMs) };
      return { name, cat: "compute", ph: "X", pid: rank, tid: tracks.of(rank, "compute"), ...times, args: {} };
    });
    return { traceEvents: [...tracks.names(), ...computed, ...events], displayTimeUnit: "ms" };
  }

  /**
   * The part of a rank's operations' time in which it also computed: 1 when communication cost nothing. Undefined where
   * there was none.
   */
  hiddenShare(rank: number): number | undefined {
    const isOwn = (span: { readonly rank: number }): boolean => span.rank === rank;
    const operations = union(this.#spans.filter((span) => isOwn(span) && span.kind === "operation"));
    const compute = union(this.#compute.filter(isOwn));
    const total = lengthOf(operations);
    return total === 0 ? undefined : lengthOf(intersection(operations, compute)) / total;
  }

  #add(span: Span): void {
    this.#spans.push(span);
    if (this.#spans.length > SPANS_MAX) this.#spans = this.#spans.slice(SPANS_MAX / 10);
  }
}

/** Numbers of tracks, by rank and name. */
class Tracks {
  readonly #known = new Map<string, { readonly rank: number; readonly tid: number; readonly name: string }>();

  of(rank: number, name: string): number {
    const key = `${rank} ${name}`;
    const known = this.#known.get(key) ?? { rank, tid: this.#known.size + 1, name };
    this.#known.set(key, known);
    return known.tid;
  }

  names(): TraceEvent[] {
    const ranks = new Set([...this.#known.values()].map(({ rank }) => rank));
    const meta = (name: string, pid: number, tid: number, called: string): TraceEvent => {
      return { name, cat: "__metadata", ph: "M", pid, tid, args: { name: called } };
    };
    return [
      ...[...ranks].map((rank) => meta("process_name", rank, 0, `rank ${rank}`)),
      ...[...this.#known.values()].map(({ rank, tid, name }) => meta("thread_name", rank, tid, name)),
    ];
  }
}

/** Arithmetic goes one after another; operations and messages overlap. */
function eventsOf(span: Span, id: number, tracks: Tracks): TraceEvent[] {
  const { kind, operation, rank, peer, chunk, bytes, startMs, endMs } = span;
  const isArithmetic = kind === "reduce" || kind === "encode" || kind === "decode";
  const track = isArithmetic
    ? ARITHMETIC
    : peer === undefined
      ? OPERATIONS
      : `${kind === "send" ? "to" : "from"} ${peer}`;
  const args = { operation, bytes, ...(chunk === undefined ? {} : { chunk }) };
  const name = kind === "operation" ? operation : `${kind} ${chunk ?? ""}`.trim();
  const common = { name, cat: kind, pid: rank, tid: tracks.of(rank, track), args };
  const [ts, end] = [1_000 * startMs, 1_000 * endMs];
  if (isArithmetic) return [{ ...common, ph: "X", ts, dur: end - ts }];
  return [
    { ...common, ph: "b", id, ts },
    { ...common, ph: "e", id, ts: end },
  ];
}

interface Interval {
  readonly startMs: number;
  readonly endMs: number;
}

/** Intervals that do not touch, in order. */
function union(intervals: readonly Interval[]): Interval[] {
  const sorted = [...intervals].sort((a, b) => a.startMs - b.startMs);
  const out: Interval[] = [];
  for (const one of sorted) {
    const last = out.at(-1);
    if (last === undefined || last.endMs < one.startMs) out.push(one);
    else out[out.length - 1] = { startMs: last.startMs, endMs: Math.max(last.endMs, one.endMs) };
  }
  return out;
}

function intersection(a: readonly Interval[], b: readonly Interval[]): Interval[] {
  return a.flatMap((one) =>
    b
      .map((two) => ({ startMs: Math.max(one.startMs, two.startMs), endMs: Math.min(one.endMs, two.endMs) }))
      .filter(({ startMs, endMs }) => startMs < endMs),
  );
}

function lengthOf(intervals: readonly Interval[]): number {
  return intervals.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
}
