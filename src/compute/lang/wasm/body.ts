/** A part of a printed function: what flat kernels and workgroups are written with. */
import type { Kernel } from "../kernel.ts";
import type { NumberedKernel } from "../numbered-kernel.ts";
import type { Code } from "./code.ts";
import type { Frame } from "./frame.ts";
import { LANES, type VectorMode } from "./lane-forms.ts";
import type { Lines } from "./lines.ts";
import type { Values } from "./values.ts";

/** A part of `run`, with what it knows of its lanes. */
export interface Body {
  readonly kernel: Kernel;
  readonly numbered: NumberedKernel;
  readonly code: Code;
  readonly frame: Frame;
  readonly values: Values;
  readonly lines: Lines;
  readonly mode: VectorMode;
}

/** The parameters of `run`. */
export const PARAMETERS = { arguments: 0, from: 1, to: 2, scratch: 3 } as const;

/** SUBGROUP_SIZE and SUBGROUP_LANE, of which the kernel asks: a subgroup is a vector. */
export function nameSubgroup(values: Values, code: Code, { builtIns }: NumberedKernel, mode: VectorMode): void {
  if (builtIns.has("subgroupSize")) {
    const size = code.local("i32");
    code.i32(LANES);
    code.set(size);
    values.setName("subgroupSize", { type: "i32", local: size });
  }
  if (!builtIns.has("subgroupLane")) return;
  const local = code.local(mode.isRagged ? "v128" : "i32");
  if (mode.isRagged) code.lanes([0, 1, 2, 3]);
  else code.i32(0);
  code.set(local);
  values.setName("subgroupLane", { type: mode.isRagged ? "v128" : "i32", local });
}
