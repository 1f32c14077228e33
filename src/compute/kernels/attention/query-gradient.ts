/**
 * The gradient of attention by its queries: [B, G, T, D + 2], dL/dq and in the last two columns what the gradient by keys
 * and values wants of each query: the logarithm of its sum, and sum(dO * O).
 *
 * With p = e^(score - log of the sum), f what dropout multiplies it with, and dO what arrives: the gradient of a score is
 * p (f dO v^T - sum(dO * O)), and dq = scale * that * k.
 */
import { add, f32, i32, multiply, subtract, unary } from "../../lang/build.ts";
import type { Expr, Statement } from "../../lang/kernel.ts";
import { assign, letIn, varIn } from "../../lang/statements.ts";
import type { Grid, Operand } from "../grid.ts";
import { appliedWeight, scoreOf, type Pair } from "./attention.ts";
import { headOf, keysEnd } from "./forward.ts";
import { ownRows, type OwnRows } from "./own-rows.ts";
import { forBlocks, workgroupFor, type Block, type Column } from "./shared-rows.ts";
import { addWeighted, keptRows, onlyIf, overColumns, products, storeRows, ownArray, type AttentionWork, type OwnColumn } from "./work.ts"; // prettier-ignore

/** What the gradients read besides. */
export interface ArrivingReads {
  /** dL/dO at [b, g, t, e]. */
  readonly grad: Operand;
  /** What `attentionForward` gave, at [b, g, t, e]. */
  readonly result: Operand;
}

export function attentionQueryGradient(work: AttentionWork, { grad, result }: ArrivingReads): Grid {
  const { attention, reads, schedule, sink, loops } = work;
  const { batch, group, queries, keys, depth, width, scale, causal } = attention;
  const own = ownRows(batch * group, queries, schedule, causal);
  const head = headOf(own, group);
  const at = (row: number, column: Expr): Expr[] => [head.b, head.g, own.at[row] as Expr, column];
  const q = keptRows(work, depth, (row, d) => reads.q(at(row, d)));
  const arriving = keptRows(work, width, (row, e) => grad(at(row, e)));
  const dots = own.at.map(() => varIn(loops.names, "dot", f32(0)));
  const addDots = overColumns(work, width, (e) =>
    dots.map(({ use }, row) => assign(use, add(use, multiply(arriving.column(row, e), result(at(row, e)))))),
  );
  const logSums = own.at.map((_, row) => letIn(loops.names, "logSum", result(at(row, i32(width)))));
  const sums = ownArray(work, "sums", depth);
  const matrices = [
    { width: depth, at: (s: Expr, d: Expr) => reads.k([head.b, s, d]) },
    { width, at: (s: Expr, e: Expr) => reads.v([head.b, s, e]) },
  ];
  const rows: GradientRows = {
    q: q.column,
    arriving: arriving.column,
    logSums: logSums.map(({ use }) => use),
    dots: dots.map(({ use }) => use),
  };
  const along = forBlocks({ loops, schedule, count: keys, matrices }, i32(0), keysEnd(attention, own), (block) => {
    const slopes = slopesOf(work, own, head, block, rows);
    const shared = (d: Expr): Column => block.column(0, d);
    return [...slopes.statements, addWeighted(work, depth, { sums, weights: slopes.values, shared })];
  });
  const ends = own.exists.flatMap((exists, row) => {
    const stores = [rows.logSums[row], rows.dots[row]].flatMap((x, i) => sink(at(row, i32(depth + i)), x as Expr));
    return onlyIf(exists, stores);
  });
  const stores = storeRows(work, own.exists, depth, (row, d) =>
    sink(at(row, d), multiply(sums.load(row, d), f32(scale))),
  );
  return {
    invocations: own.workgroups * schedule.lanes,
    workgroup: workgroupFor(schedule, [depth, width]),
    body: [
      sums.statement,
      ...q.statements,
      ...arriving.statements,
      ...dots.map(({ statement }) => statement),
      addDots,
      ...logSums.map(({ statement }) => statement),
      ...along,
      stores,
      ...ends,
    ],
  };
}

/** What a lane knows of each of its queries. */
interface GradientRows {
  readonly q: OwnColumn;
  readonly arriving: OwnColumn;
  readonly logSums: readonly Expr[];
  readonly dots: readonly Expr[];
}

/** The gradients of the scores of a lane's queries with a block of keys. */
function slopesOf(
  work: AttentionWork,
  own: OwnRows,
  { b, g }: Pick<Pair, "b" | "g">,
  block: Block,
  { q, arriving, logSums, dots }: GradientRows,
): { readonly statements: readonly Statement[]; readonly values: readonly (readonly Expr[])[] } {
  const { attention, reads, loops } = work;
  const scores = products(work, attention.depth, q, (d) => block.column(0, d));
  const slopes = products(work, attention.width, arriving, (e) => block.column(1, e));
  const statements: Statement[] = [...scores.statements, ...slopes.statements];
  const values = scores.values.map((row, i) =>
    row.map((product, n) => {
      const pair: Pair = { b, g, t: own.at[i] as Expr, s: block.rows[n] as Expr };
      const score = scoreOf(attention, reads, pair, product, block.exist[n] as Expr);
      const weight = unary("exp", subtract(score, logSums[i] as Expr));
      const arrived = appliedWeight(reads, pair, slopes.values[i]?.[n] as Expr);
      const slope = letIn(loops.names, "slope", multiply(weight, subtract(arrived, dots[i] as Expr)));
      statements.push(slope.statement);
      return slope.use;
    }),
  );
  return { statements, values };
}
