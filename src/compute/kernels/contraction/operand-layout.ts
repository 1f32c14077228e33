/** How an operand lies in memory, seen from the expression of one of its elements. */
import { i32 } from "../../lang/build.ts";
import { variable } from "../../lang/expr.ts";
import type { Expr } from "../../lang/kernel.ts";
import { termsOf } from "../../lang/sum.ts";
import { visitOperandsFirst } from "../../lang/walk.ts";
import type { Operand } from "../grid.ts";

/** N: neighbours along the operand's last axis are neighbours in memory. T: those along the axis before it are. */
export type OperandLayout = "N" | "T";

/** Names that no kernel has. */
const [ROW, COLUMN] = ["layoutRow", "layoutColumn"];

/** The layout of an operand of [batch, rows, columns]; N where neither axis has neighbours in memory. */
export function layoutOf(operand: Operand, rows: number, columns: number): OperandLayout {
  if (rows === 1 || columns === 1) return rows === 1 ? "N" : "T";
  const row = variable("i32", ROW, { min: 0, max: rows - 1 });
  const column = variable("i32", COLUMN, { min: 0, max: columns - 1 });
  const [alongRow, alongColumn] = stepsOf(operand([i32(0), row, column]));
  return alongRow === 1 && alongColumn !== 1 ? "T" : "N";
}

/** How far the first load under `x` moves with the row and the column; 0 where it does not, or in no simple way. */
function stepsOf(x: Expr): [number, number] {
  const seen = new Set<Expr>();
  let steps: [number, number] | undefined;
  visitOperandsFirst(
    x,
    (part) => seen.has(part),
    (part) => {
      seen.add(part);
      if (part.kind !== "load" || steps !== undefined) return;
      const terms = termsOf(part.index, "deep")?.terms ?? [];
      const along = (name: string): number =>
        terms.find((term) => term.x.kind === "variable" && term.x.name === name)?.factor ?? 0;
      steps = [along(ROW), along(COLUMN)];
    },
  );
  return steps ?? [0, 0];
}
