/** Kernels in order and what they need of memory; and the same once they have it. */
import type { Fit, PlanStep } from "../compiler/fit-memory.ts";
import type { Node } from "../compiler/ir.ts";
import type { LoweredKernel } from "../compiler/lower-region.ts";
import type { Bytes } from "../../base/bytes.ts";
import { present } from "../../base/assert.ts";
import type { Command, Device, DeviceBuffer, Recording } from "../device/device.ts";

export interface Program {
  /** For errors: "a compiled step". */
  readonly what: string;
  /** Kernels of a step start together. */
  readonly steps: readonly (readonly LoweredKernel[])[];
  /** Leaves that it reads or writes: they have to be on the device. */
  readonly leaves: ReadonlySet<Node>;
  /** Values between leaves and results. */
  readonly isInner: (node: Node) => boolean;
  /** Inner values that are read after the last step, or kept for that from the first one on. */
  readonly keptToEnd: ReadonlySet<Node>;
  /** True for what is not worth a long search for a good layout. */
  readonly runsOnce: boolean;
  /** Values stored over a leaf, and the leaf. */
  readonly overwrites: ReadonlyMap<Node, Node>;
}

/** A program with its memory. */
export interface Placed {
  readonly steps: readonly PlanStep[];
  /** Of inner values. */
  readonly buffers: ReadonlyMap<Node, DeviceBuffer>;
  readonly plannedBytes: number;
  /** The most bytes of inner values that live at once: no layout takes less. */
  readonly boundBytes: number;
  /** What was done to make it fit; null where it fitted as it was. */
  readonly fit: Fit | null;
}

/** What a plan does when it runs: commands, stages of its results that are there, and arrays that go to main memory and come back. */
export type Segment =
  | { readonly kind: "commands"; readonly commands: readonly Command[]; readonly recording: Recording }
  | { readonly kind: "ready"; readonly stages: readonly number[] }
  | { readonly kind: "offload"; readonly node: Node; readonly buffer: DeviceBuffer }
  | { readonly kind: "reload"; readonly from: Node; readonly buffer: DeviceBuffer };

/** What of a plan is there before its end. */
interface Ready {
  /** Before the first step. */
  readonly atOnce: readonly number[];
  readonly after: ReadonlyMap<PlanStep, readonly number[]>;
}

const NOTHING_READY: Ready = { atOnce: [], after: new Map() };

/** Which step ends each of `stages`, and those before it: the last one that stores a value of them. */
export function readyStages(steps: readonly PlanStep[], stages: readonly ReadonlySet<Node>[]): Ready {
  let last = -1;
  const ends = stages.map((values) => {
    const own = steps.findLastIndex(
      (step) => step.kind === "compute" && step.kernels.some(({ outputs }) => outputs.some((node) => values.has(node))),
    );
    return (last = Math.max(last, own));
  });
  const after = new Map<PlanStep, number[]>();
  for (const [stage, end] of ends.entries()) {
    const step = steps[end];
    if (step) after.set(step, [...(after.get(step) ?? []), stage]);
  }
  return { atOnce: [...ends.keys()].filter((stage) => ends[stage] === -1), after };
}

/** Segments of `steps`, whose kernels `commandsOf` has made ready; `before` and `after` all of them. */
export function segmentsOf(
  device: Device,
  placed: Pick<Placed, "steps" | "buffers">,
  commandsOf: (step: PlanStep & { kind: "compute" }) => readonly Command[],
  { before, after }: { readonly before: readonly Command[]; readonly after: readonly Command[] },
  ready: Ready = NOTHING_READY,
): Segment[] {
  const segments: Segment[] = [];
  let commands: Command[] = [...before];
  const close = (): void => {
    if (commands.length > 0) segments.push({ kind: "commands", commands, recording: device.record(commands) });
    commands = [];
  };
  const announce = (stages: readonly number[] = []): void => {
    if (stages.length === 0) return;
    close();
    segments.push({ kind: "ready", stages });
  };
  announce(ready.atOnce);
  for (const step of placed.steps) {
    if (step.kind === "compute") {
      commands.push(...commandsOf(step));
      announce(ready.after.get(step));
      continue;
    }
    close();
    const buffer = present(placed.buffers.get(step.node), "segmentsOf: the memory of a value that moves");
    if (step.kind === "offload") segments.push({ kind: "offload", node: step.node, buffer });
    else segments.push({ kind: "reload", from: step.from, buffer });
  }
  commands.push(...after);
  close();
  return segments;
}

/** Runs them in order; null where nothing had to be waited for. `onReady` is told when a stage's values are submitted. */
export function runSegments(
  device: Device,
  segments: readonly Segment[],
  submit: (recording: Recording) => void,
  onReady: (stages: readonly number[]) => void = () => {},
): Promise<void> | null {
  const [first] = segments;
  if (segments.length === 0 || first === undefined) return null;
  if (segments.length === 1 && first.kind === "commands") {
    submit(first.recording);
    return null;
  }
  return runMoving(device, segments, submit, onReady);
}

async function runMoving(
  device: Device,
  segments: readonly Segment[],
  submit: (recording: Recording) => void,
  onReady: (stages: readonly number[]) => void,
): Promise<void> {
  const moved = new Map<Node, Promise<Bytes>>();
  for (const segment of segments) {
    if (segment.kind === "commands") {
      submit(segment.recording);
    } else if (segment.kind === "ready") {
      onReady(segment.stages);
    } else if (segment.kind === "offload") {
      const bytes = device.read(segment.buffer);
      bytes.catch(() => {}); // Whoever reloads it is told.
      moved.set(segment.node, bytes);
    } else {
      device.write(segment.buffer, await present(moved.get(segment.from), "runSegments: what was moved out"));
    }
  }
}
