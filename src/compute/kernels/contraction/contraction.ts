/**
 * Batched matrix products, from one generator: a schedule says how, the operands' index functions say what is read, so
 * that transposed, strided, padded or computed operands cost no copy.
 */
import type { Grid, Loops, Operand, Sink } from "../grid.ts";
import { line } from "./line.ts";
import { panels } from "./panels.ts";
import { columns, registers } from "./registers.ts";
import type { Contraction, ContractionSchedule } from "./schedule.ts";
import { subgroups } from "./subgroups.ts";
import { workgroupTiles } from "./workgroup.ts";

/** out[b, m, n] = sum over k of left[b, m, k] * right[b, k, n], in f32: in the order of k, but for "line". */
export function contraction(
  product: Contraction,
  schedule: ContractionSchedule,
  left: Operand,
  right: Operand,
  sink: Sink,
  loops: Loops,
): Grid {
  const work = { product, left, right, sink, loops };
  switch (schedule.kind) {
    case "registers":
      return registers(work, schedule);
    case "columns":
      return columns(work, schedule);
    case "subgroups":
      return subgroups(work, schedule);
    case "workgroup":
      return workgroupTiles(work, schedule);
    case "panels":
      return panels(work, schedule);
    case "line":
      return line(work, schedule);
  }
}
