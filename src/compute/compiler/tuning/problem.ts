/** What a kernel with candidates is asked to do, apart from the graph it came from: enough to build it again, alone. */
import type { OperandLayout } from "../../kernels/contraction/operand-layout.ts";
import type { DType } from "../../layout/dtype.ts";

/** [batch, rows, inner] times [batch, inner, columns]. */
export interface ContractionProblem {
  readonly kind: "contraction";
  readonly batch: number;
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  readonly left: { readonly layout: OperandLayout; readonly dtype: DType };
  readonly right: { readonly layout: OperandLayout; readonly dtype: DType };
}

/** `count` elements, each stored in `stores` arrays from `loads` others; `isHeavy` where arithmetic outweighs the loads. */
export interface ElementwiseProblem {
  readonly kind: "elementwise";
  /** Of the last array stored. */
  readonly dtype: DType;
  readonly count: number;
  readonly loads: number;
  readonly stores: number;
  readonly isHeavy: boolean;
}

/** Reductions along `rows` rows of `columns` elements from `loads` arrays, in `sweeps` along them. */
export interface RowsProblem {
  readonly kind: "rows";
  /** Of what is reduced first. */
  readonly dtype: DType;
  readonly rows: number;
  readonly columns: number;
  /** Neighbours in memory belong to neighbouring rows. */
  readonly isAcross: boolean;
  readonly sweeps: number;
  /** In all sweeps together. */
  readonly reductions: number;
  readonly loads: number;
  /** Arrays of as many elements as there are in the rows. */
  readonly stores: number;
  readonly isHeavy: boolean;
}

/** Running totals along `lines` lines of `size` elements. */
export interface ScanProblem {
  readonly kind: "scan";
  readonly dtype: DType;
  readonly fn: "sum" | "product" | "maximum";
  readonly lines: number;
  readonly size: number;
}

/** A part of attention without mask and dropout: [queries, depth] x [keys, depth] x [keys, width], batch x group times. */
export interface AttentionProblem {
  readonly kind: "attention";
  readonly part: "forward" | "gradQuery" | "gradKeyValue" | "gradMask";
  readonly batch: number;
  readonly group: number;
  readonly queries: number;
  readonly keys: number;
  readonly depth: number;
  readonly width: number;
  readonly causal: boolean;
}

export type Problem = ContractionProblem | ElementwiseProblem | RowsProblem | ScanProblem | AttentionProblem;

/** Products of rows that each part of attention takes, for each pair of a query and a key, in those of the forward pass. */
const ATTENTION_WORK = { forward: 1, gradQuery: 1.5, gradKeyValue: 2, gradMask: 1 } as const;

/** Elementary operations, roughly: for bounds, and for what to tune first. A load or store counts as 8. */
export function operationsOf(problem: Problem): number {
  switch (problem.kind) {
    case "contraction":
      return 2 * problem.batch * problem.rows * problem.inner * problem.columns;
    case "elementwise":
      return 8 * problem.count * (problem.loads + problem.stores);
    case "rows":
      return 8 * problem.rows * problem.columns * (problem.loads * problem.sweeps + problem.stores);
    case "scan":
      return 16 * problem.lines * problem.size;
    case "attention": {
      const { part, batch, group, queries, keys, depth, width, causal } = problem;
      const pairs = (batch * group * queries * keys) / (causal ? 2 : 1);
      return 2 * pairs * (depth + width) * ATTENTION_WORK[part];
    }
  }
}

/** The same problem, made small enough for `operationsMax`. Sizes keep their remainder by 16, or 4, for the same edges. */
export function shrunk(problem: Problem, operationsMax: number): Problem {
  let small = problem;
  while (operationsOf(small) > operationsMax) {
    const smaller = halved(small);
    if (operationsOf(smaller) === operationsOf(small)) break;
    small = smaller;
  }
  return small;
}

/** Where time is most nearly in proportion to a size, that one shrinks first. */
function halved(problem: Problem): Problem {
  switch (problem.kind) {
    case "contraction": {
      const { batch, rows, inner, columns } = problem;
      if (batch > 4) return { ...problem, batch: half(batch) };
      if (inner >= Math.max(rows, columns)) return { ...problem, inner: half(inner) };
      return rows >= columns ? { ...problem, rows: half(rows) } : { ...problem, columns: half(columns) };
    }
    case "elementwise":
      return { ...problem, count: half(problem.count) };
    case "rows": {
      const { rows, columns } = problem;
      return rows >= columns ? { ...problem, rows: half(rows) } : { ...problem, columns: half(columns) };
    }
    case "scan": {
      const lines = half(problem.lines);
      return lines < problem.lines ? { ...problem, lines } : { ...problem, size: half(problem.size) };
    }
    case "attention": {
      const { batch, group, queries, keys } = problem;
      if (batch > 4) return { ...problem, batch: half(batch) };
      if (group > 4) return { ...problem, group: half(group) };
      return { ...problem, queries: half(queries), keys: half(keys) };
    }
  }
}

/** About half of `size`, with the same remainder; itself where that is no less. */
function half(size: number): number {
  const low = Math.floor(size / 2);
  const same = low + ((size - low) % (size >= 64 ? 16 : 4));
  return same < size ? same : size;
}
