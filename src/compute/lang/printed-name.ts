/** Names of kernels in printed code. */
import type { BuiltInName } from "./kernel.ts";

const BUILT_IN: { readonly [Name in BuiltInName]: string } = {
  invocation: "invocation",
  workgroup: "workgroup",
  lane: "lane",
  subgroupSize: "subgroup_size",
  subgroupLane: "subgroup_lane",
};

/** The name of a kernel's variable in printed code: no keyword and no function of the target starts so. */
export function printedName(name: string): string {
  return Object.hasOwn(BUILT_IN, name) ? BUILT_IN[name as BuiltInName] : `v_${name}`;
}
