/** From a graph to kernels: optimize it, decide what is stored, join what fits in one kernel, emit it. */
import { present } from "../../base/assert.ts";
import { PLAIN_DEVICE, type DeviceTraits } from "../kernels/device-traits.ts";
import { elementCount } from "../layout/shape.ts";
import type { Node } from "./ir.ts";
import { lowerRegion, type LoweredKernel } from "./lower-region.ts";
import { optimize } from "./passes/optimize.ts";
import { planRegions, type Region } from "./regions.ts";
import { planSchedule } from "./schedule.ts";
import { DEFAULT_CHOICES, type Choices } from "./tuning/choices.ts";
import { shallowFirst } from "./walk-graph.ts";

export interface Lowered {
  /** In an order that can be run. */
  readonly kernels: readonly LoweredKernel[];
  /** Where each of the graph's outputs is stored: a leaf, or an output of a kernel. An empty one is nowhere. */
  readonly outputs: readonly Node[];
}

export interface LowerOptions {
  /** Who decides between the candidates of a kernel. The defaults unless told. */
  readonly choices?: Choices;
  /** Outputs from this one on are new values of state. None unless told. */
  readonly updatesFrom?: number;
  /** What the kernels are for. Any device unless told. */
  readonly traits?: DeviceTraits;
}

/** Kernels that compute `outputs` from the leaves under them; at most `bindingsMax` arrays in each. */
export function lower(outputs: readonly Node[], bindingsMax: number, options: LowerOptions = {}): Lowered {
  const { choices = DEFAULT_CHOICES, updatesFrom = outputs.length, traits = PLAIN_DEVICE } = options;
  const nodes = optimize(outputs, { traits });
  const wanted = shallowFirst(nodes.filter((node) => elementCount(node.shape) > 0));
  const schedule = planSchedule(wanted, bindingsMax);
  const isStored = (node: Node): boolean => schedule.isStored(node);
  const updates = new Set(nodes.slice(updatesFrom));
  // Whether regions fit together does not depend on choices, and what is only tried is no kernel to be asked about.
  const lowers = (region: Region): boolean => lowerRegion(region, isStored, DEFAULT_CHOICES, traits) !== undefined;
  const regions = planRegions({ schedule, outputs: wanted, updates, bindingsMax }, lowers);
  const kernels = regions.map((region) =>
    present(lowerRegion(region, isStored, choices, traits), "lower: a kernel for a region"),
  );
  return { kernels, outputs: nodes };
}
