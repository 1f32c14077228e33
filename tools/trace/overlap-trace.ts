/** One step of the overlap benchmark's two members, as a file that Perfetto opens: computation beside communication. */
import { present } from "../../src/base/assert.ts";
import { median } from "../../bench/measure.ts";
import { TraceRecorder, type TraceFile } from "../../src/network/collectives/trace-recorder.ts";
import type { GptRunOptions } from "../../bench/gpt-run.ts";
import { computedMsOf, hiddenShareOf, Pair } from "../../bench/overlap/pair.ts";
import type { StepMeasured } from "../../bench/overlap/member.ts";

export interface OverlapTrace {
  readonly file: TraceFile;
  readonly parameters: number;
  readonly computedMs: number;
  readonly stepMs: number;
  /** The part of the gradients' operations' time in which their member also computed: the mean of both. */
  readonly hiddenShare: number;
}

/** In computation's time the link carries as much as a step sends: gradients and parameters. */
const HALVES = 2;
/** To see how fast computation is, and as many to choose from: one step says little on a busy machine. */
const STEPS = 9;

/**
 * Trains some steps and takes the one whose share is the median. Takes ten seconds of two processors; the benchmark's run
 * unless told. @throws DeadlineError
 */
export async function traceOverlap(run?: GptRunOptions): Promise<OverlapTrace> {
  const pair = await Pair.open(run);
  try {
    const free: number[] = [];
    while (free.length < STEPS) free.push(computedMsOf(await pair.step({ overlaps: true }, Infinity)));
    const bytesPerMs = pair.bandwidthFor(HALVES, median(free));
    const steps: StepMeasured[][] = [];
    while (steps.length < STEPS) steps.push(await pair.step({ overlaps: true }, bytesPerMs));
    const byShare = steps.toSorted((one, two) => hiddenShareOf(one) - hiddenShareOf(two));
    const members = present(byShare[(STEPS - 1) / 2], "a step");
    return {
      file: fileOf(members),
      parameters: pair.parameters,
      computedMs: computedMsOf(members),
      stepMs: Math.max(...members.map(({ stepMs }) => stepMs)),
      hiddenShare: hiddenShareOf(members),
    };
  } finally {
    await pair.close();
  }
}

/** Threads' clocks begin at moments of their own; all times of the file count from when the first member began. */
export function fileOf(members: readonly Pick<StepMeasured, "timeline">[]): TraceFile {
  const beganMs = Math.min(...members.map(({ timeline }) => timeline.beganMs));
  const recorder = new TraceRecorder();
  for (const { timeline } of members) {
    const later = timeline.beganMs - beganMs;
    const moved = <T extends { readonly startMs: number; readonly endMs: number }>(span: T): T => {
      return { ...span, startMs: span.startMs + later, endMs: span.endMs + later };
    };
    timeline.spans.forEach((span) => recorder.trace(moved(span)));
    timeline.computed.forEach((span) => recorder.compute(moved(span)));
  }
  return recorder.file();
}
