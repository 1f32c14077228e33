/** From a graph to kernels: merge what is equal, cut what is long, decide what is stored, join what fits in one kernel, emit it. */
import { present } from "../../base/assert.ts";
import { PLAIN_DEVICE, type DeviceTraits } from "../kernels/device-traits.ts";
import { elementCount } from "../layout/shape.ts";
import type { Node } from "./ir.ts";
import { lowerRegion, type LoweredKernel } from "./lower-region.ts";
import { planRegions } from "./regions.ts";
import { planSchedule } from "./schedule.ts";
import { splitLong } from "./split.ts";
import { mergeEqual, shallowFirst } from "./walk-graph.ts";

export interface Lowered {
  /** In an order that can be run. */
  readonly kernels: readonly LoweredKernel[];
  /** Where each of the graph's outputs is stored: a leaf, or an output of a kernel. An empty one is nowhere. */
  readonly outputs: readonly Node[];
}

/**
 * Kernels that compute `outputs` from the leaves under them; at most `bindingsMax` arrays in each.
 *
 * @param updatesFrom outputs from this one on are new values of state
 */
export function lower(
  outputs: readonly Node[],
  bindingsMax: number,
  updatesFrom: number = outputs.length,
  traits: DeviceTraits = PLAIN_DEVICE,
): Lowered {
  const nodes = mergeEqual(splitLong(mergeEqual(outputs)));
  const wanted = shallowFirst(nodes.filter((node) => elementCount(node.shape) > 0));
  const schedule = planSchedule(wanted, bindingsMax);
  const isStored = (node: Node): boolean => schedule.isStored(node);
  const updates = new Set(nodes.slice(updatesFrom));
  const inputs = { schedule, outputs: wanted, updates, bindingsMax };
  const regions = planRegions(inputs, (region) => lowerRegion(region, isStored, traits) !== undefined);
  const kernels = regions.map((region) =>
    present(lowerRegion(region, isStored, traits), "lower: a kernel for a region"),
  );
  return { kernels, outputs: nodes };
}
