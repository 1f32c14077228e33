/** What a compiled plan computes, in which order, and into which leaves: all that is known of it whatever its memory. */
import { present } from "../../base/assert.ts";
import { OptionError, ShapeError } from "../../base/errors.ts";
import type { Node } from "../compiler/ir.ts";
import type { Lowered } from "../compiler/lower.ts";
import type { LoweredKernel } from "../compiler/lower-region.ts";
import { canOverwrite } from "../compiler/overwrite.ts";
import { planWaves } from "../compiler/waves.ts";
import type { Device } from "../device/device.ts";
import { formatShape, sameShape } from "../layout/shape.ts";
import { isLeaf } from "./leaves.ts";
import type { Program } from "./program.ts";
import type { Stages } from "./runtime.ts";

/** What a plan is asked for. */
export interface PlanRequest {
  /** Lowers it for the device of now. Its outputs are those of the plan, followed by the values of the updates. */
  readonly lower: () => Lowered;
  /** A leaf for each output. */
  readonly outputs: readonly Node[];
  /** The leaf that each update overwrites. */
  readonly targets: readonly Node[];
  /** Outputs that are read together while later kernels run; none for a plan that is run as a whole. */
  readonly stages: Stages;
}

/** What is known of a plan whatever its memory. */
export interface PlanLowering {
  readonly device: Device;
  readonly lowered: Lowered;
  readonly program: Program;
  /** Values stored, and the leaves that they are stored in. */
  readonly leafOf: ReadonlyMap<Node, Node>;
  /** Leaves that are copied into inner values first: the update of another needs them as they were. */
  readonly saved: ReadonlyMap<Node, Node>;
}

/** @throws OptionError or ShapeError where an update is not of a leaf, or not like it */
export function lowerPlan(device: Device, request: PlanRequest): PlanLowering {
  const { targets, outputs, stages } = request;
  const lowered = request.lower();
  const stored = lowered.outputs.slice(0, outputs.length);
  const values = lowered.outputs.slice(outputs.length);
  checkUpdates(targets, values);
  const early = stages.length > 1 ? new Set(stored) : new Set<Node>();
  const steps = planWaves(lowered.kernels, early);
  const inPlace = targetsWrittenInPlace(steps, targets, values, new Set(stored));
  const leafOf = new Map(inPlace);
  for (const [i, node] of stored.entries()) {
    if (!isLeaf(node)) leafOf.set(node, present(outputs[i], "plan: the leaf of an output"));
  }
  const moving = values.filter((value, i) => isLeaf(value) && targets.includes(value) && value !== targets[i]);
  const saved = new Map(moving.map((leaf) => [leaf, { ...leaf }]));
  const old = new Set(saved.values());
  const isInner = (node: Node): boolean => old.has(node) || (!isLeaf(node) && !leafOf.has(node));
  const read = lowered.kernels.flatMap(({ inputs }) => inputs.filter(isLeaf));
  const leaves = new Set([...read, ...lowered.outputs.filter(isLeaf), ...targets, ...outputs]);
  const keptToEnd = new Set([...values.filter(isInner), ...old]);
  const program = { what: "a compiled step", steps, leaves, isInner, keptToEnd, runsOnce: false, overwrites: inPlace };
  return { device, lowered, program, leafOf, saved };
}

function checkUpdates(targets: readonly Node[], values: readonly Node[]): void {
  if (new Set(targets).size !== targets.length) {
    throw new OptionError("compile: expected one update a leaf, found two for one");
  }
  for (const [i, target] of targets.entries()) {
    const value = values[i];
    if (!isLeaf(target)) {
      throw new OptionError(`compile: expected updates of leaves, found one of a ${target.primitive.kind}`);
    }
    if (value === undefined || (sameShape(target.shape, value.shape) && target.dtype === value.dtype)) continue;
    const expected = `${target.dtype} ${formatShape(target.shape)}`;
    throw new ShapeError(
      `compile: expected ${expected} for an update, found ${value.dtype} ${formatShape(value.shape)}`,
    );
  }
}

/**
 * Values that can be computed right into the leaf that they update: nobody reads the leaf's old bytes from then on, but
 * the kernel itself where it stores the new ones. Saves a copy and an array.
 */
function targetsWrittenInPlace(
  steps: readonly (readonly LoweredKernel[])[],
  targets: readonly Node[],
  values: readonly Node[],
  outputs: ReadonlySet<Node>,
): Map<Node, Node> {
  const readers = new Map<Node, { kernel: LoweredKernel; at: number }[]>();
  const makers = new Map<Node, { kernel: LoweredKernel; at: number }>();
  for (const [at, step] of steps.entries()) {
    for (const kernel of step) {
      for (const output of kernel.outputs) makers.set(output, { kernel, at });
      for (const input of kernel.inputs) readers.set(input, [...(readers.get(input) ?? []), { kernel, at }]);
    }
  }
  const out = new Map<Node, Node>();
  for (const [i, target] of targets.entries()) {
    const value = values[i];
    const maker = value === undefined ? undefined : makers.get(value);
    if (value === undefined || maker === undefined || outputs.has(value) || out.has(value)) continue;
    if (values.includes(target)) continue;
    const isReadBefore = (readers.get(target) ?? []).every(({ kernel, at }) => {
      if (at < maker.at) return true;
      if (kernel !== maker.kernel) return false;
      const [output, input] = [kernel.outputs.indexOf(value), kernel.inputs.indexOf(target)];
      return canOverwrite(kernel.kernel, output, kernel.outputs.length + input);
    });
    if (isReadBefore) out.set(value, target);
  }
  return out;
}
