/**
 * Shapes that are alike: what was measured for one of a class holds for the others.
 *
 * A size is rounded to a power of two, and keeps whether 4 divides it: that decides about edges, and about loading four
 * elements at once. Small sizes are classes of their own, since there each one more matters.
 */
import type { Problem } from "./problem.ts";

/** Up to here every size is a class. */
const EXACT_MAX = 8;

/** "128" for 92 to 180 where 4 divides them, "128~" for the others. */
export function sizeClass(size: number): string {
  if (size <= EXACT_MAX) return String(size);
  return `${2 ** Math.round(Math.log2(size))}${size % 4 === 0 ? "" : "~"}`;
}

/**
 * "1 x [128, 64] x [64, 256] NT"; "4096, 2 to 1": elements, arrays loaded and stored; "1024 of 1024"; "forward 4 x
 * [512, 64] x ...". In classes of sizes.
 */
export function shapeClassOf(problem: Problem): string {
  switch (problem.kind) {
    case "contraction": {
      const { left, right } = problem;
      const [batch, rows, inner, columns] = [problem.batch, problem.rows, problem.inner, problem.columns].map(
        sizeClass,
      );
      return `${batch} x [${rows}, ${inner}] x [${inner}, ${columns}] ${left.layout}${right.layout}`;
    }
    case "attention": {
      const { part, batch, group, queries, keys, depth, width, causal } = problem;
      const [heads, t, s, d, e] = [batch * group, queries, keys, depth, width].map(sizeClass);
      return `${part} ${heads} x [${t}, ${d}] x [${s}, ${d}] x [${s}, ${e}]${causal ? ", causal" : ""}`;
    }
    case "elementwise":
      return `${sizeClass(problem.count)}, ${problem.loads} to ${problem.stores}${problem.isHeavy ? ", heavy" : ""}`;
    case "scan":
      return `${problem.fn} ${sizeClass(problem.lines)} of ${sizeClass(problem.size)}`;
    case "rows": {
      const { rows, columns, isAcross, sweeps, loads, stores, isHeavy } = problem;
      const work = `${sweeps} x ${loads} to ${stores}${isHeavy ? ", heavy" : ""}`;
      return `${sizeClass(rows)} of ${sizeClass(columns)}${isAcross ? " across" : ""}, ${work}`;
    }
  }
}

/** The types of what is read, and stored. */
export function dtypeOf(problem: Problem): string {
  if (problem.kind === "attention") return "float32";
  if (problem.kind !== "contraction") return problem.dtype;
  const { left, right } = problem;
  return left.dtype === right.dtype ? left.dtype : `${left.dtype} x ${right.dtype}`;
}
