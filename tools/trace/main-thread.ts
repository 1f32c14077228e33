/** What a trace of Chromium says about one page's main thread: its tasks, how long each used the CPU, and for what. Pure. */
import { OptionError } from "../../src/base/errors.ts";

/** The part of a trace event that is looked at. https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU */
export interface TraceEvent {
  readonly name: string;
  /** X is a whole event with a duration. */
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Begin, in microseconds of the trace's clock. */
  readonly ts: number;
  /** Wall time, in microseconds. */
  readonly dur?: number;
  /** CPU time of the thread, in microseconds: other programs on a busy machine do not count. */
  readonly tdur?: number;
  readonly args: { readonly name?: string; readonly data?: Readonly<Record<string, unknown>> };
}

export interface MainThreadTask {
  readonly cpuMs: number;
  readonly wallMs: number;
  /** What ran in it, the longest first: "FunctionCall onmessage 12.3 ms". */
  readonly parts: readonly string[];
}

const MAIN_THREAD = "CrRendererMain";
const TASK = /(^|::)RunTask$/;
const PARTS_SHOWN = 5;
/** Shorter parts explain nothing. */
const PART_MS_MIN = 0.5;
/** Of an event's data, what tells handlers apart. */
const TELLING = ["functionName", "type", "url", "lineNumber"] as const;

/** True for events that `mainThreadTasks` needs: a trace holds many times more. */
export function isTelling(event: TraceEvent): boolean {
  return event.name === "thread_name" || event.name === "TimeStamp" || (event.tdur ?? 0) >= 1000 * PART_MS_MIN;
}

/**
 * The tasks of the page that called `console.timeStamp(stamp)`, the one with the most CPU time first.
 * @throws OptionError when no page, or more than one, left the stamp
 */
export function mainThreadTasks(events: readonly TraceEvent[], stamp: string): MainThreadTask[] {
  const stamped = events.filter(({ name, args }) => name === "TimeStamp" && args.data?.["message"] === stamp);
  const [pid, ...others] = new Set(stamped.map((event) => event.pid));
  if (pid === undefined || others.length > 0) {
    const found = pid === undefined ? "none" : `${others.length + 1}`;
    throw new OptionError(`trace: expected one page with the stamp "${stamp}", found ${found}`);
  }
  const isMain = (event: TraceEvent): boolean => event.pid === pid && event.args.name === MAIN_THREAD;
  const tids = new Set(events.filter(isMain).map((event) => event.tid));
  const own = events.filter((event) => event.ph === "X" && event.pid === pid && tids.has(event.tid));
  const tasks = outermost(own.filter((event) => TASK.test(event.name)));
  return tasks.map((task) => describe(task, own)).sort((a, b) => b.cpuMs - a.cpuMs);
}

/** Without those that ran inside another one. */
function outermost(tasks: readonly TraceEvent[]): TraceEvent[] {
  const outer: TraceEvent[] = [];
  for (const task of [...tasks].sort((a, b) => a.ts - b.ts || (b.dur ?? 0) - (a.dur ?? 0))) {
    const last = outer.at(-1);
    if (last === undefined || !isWithin(task, last)) outer.push(task);
  }
  return outer;
}

function describe(task: TraceEvent, events: readonly TraceEvent[]): MainThreadTask {
  const parts = events
    .filter((event) => !TASK.test(event.name) && isWithin(event, task))
    .sort((a, b) => (b.tdur ?? 0) - (a.tdur ?? 0))
    .slice(0, PARTS_SHOWN)
    .map(({ name, args, tdur }) => {
      const words = TELLING.map((key) => args.data?.[key]).filter((word) => word !== undefined && word !== "");
      return [name, ...words, `${((tdur ?? 0) / 1000).toFixed(1)} ms`].join(" ");
    });
  return { cpuMs: (task.tdur ?? 0) / 1000, wallMs: (task.dur ?? 0) / 1000, parts };
}

function isWithin(inner: TraceEvent, outer: TraceEvent): boolean {
  return inner.ts >= outer.ts && inner.ts + (inner.dur ?? 0) <= outer.ts + (outer.dur ?? 0);
}
