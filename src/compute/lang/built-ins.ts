/** Names that a kernel may use without defining them: where an invocation is in the grid and in its workgroup. */
import type { Interval } from "./interval.ts";
import { lanesOf, SUBGROUP_SIZE_MAX, type BuiltInName, type Kernel } from "./kernel.ts";

/** All of them. */
export const BUILT_INS: readonly BuiltInName[] = ["invocation", "workgroup", "lane", "subgroupSize", "subgroupLane"];

/** The values it can have in `kernel`, and whether all lanes of a workgroup have the same. */
export function builtInOf(name: BuiltInName, kernel: Kernel): { range: Interval; isUniform: boolean } {
  const lanes = lanesOf(kernel);
  switch (name) {
    case "invocation":
      return { range: { min: 0, max: kernel.invocations - 1 }, isUniform: false };
    case "workgroup":
      return { range: { min: 0, max: Math.ceil(kernel.invocations / lanes) - 1 }, isUniform: true };
    case "lane":
      return { range: { min: 0, max: lanes - 1 }, isUniform: false };
    case "subgroupSize":
      return { range: { min: 1, max: SUBGROUP_SIZE_MAX }, isUniform: true };
    case "subgroupLane":
      return { range: { min: 0, max: Math.min(lanes, SUBGROUP_SIZE_MAX) - 1 }, isUniform: false };
  }
}
