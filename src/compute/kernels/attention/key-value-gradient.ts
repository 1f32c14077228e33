/**
 * The gradient of attention by its keys and values: [B, S, D + E], dL/dk and dL/dv. A lane owns keys and goes along the
 * queries that see them; formulas as in `query-gradient.ts`, and dk = scale * gradient of the score * q, dv = f p dO.
 */
import { add, f32, i32, maximum, minimum, multiply, subtract, unary } from "../../lang/build.ts";
import type { Expr, Statement } from "../../lang/kernel.ts";
import { letIn } from "../../lang/statements.ts";
import type { Grid, Operand } from "../grid.ts";
import { appliedWeight, scoreOf, type Attention, type Pair } from "./attention.ts";
import { ownRows, type OwnRows } from "./own-rows.ts";
import { forBlocks, workgroupFor, type Block, type Column } from "./shared-rows.ts";
import { addWeighted, keptRows, products, storeRows, ownArray, type AttentionWork, type OwnColumn } from "./work.ts";

/** What this gradient reads besides. */
export interface QueryGradientReads {
  /** dL/dO at [b, g, t, e]. */
  readonly grad: Operand;
  /** What `attentionQueryGradient` gave, at [b, g, t, d]. */
  readonly queryGradient: Operand;
}

export function attentionKeyValueGradient(work: AttentionWork, { grad, queryGradient }: QueryGradientReads): Grid {
  const { attention, reads, schedule, sink, loops } = work;
  const { batch, group, queries, keys, depth, width, scale } = attention;
  const own = ownRows(batch, keys, schedule, false);
  const b = own.matrix;
  const k = keptRows(work, depth, (row, d) => reads.k([b, own.at[row] as Expr, d]));
  const v = keptRows(work, width, (row, e) => reads.v([b, own.at[row] as Expr, e]));
  const [keySums, valueSums] = [ownArray(work, "sums", depth), ownArray(work, "sums", width)];
  const along = loops.for("g", i32(0), i32(group), (g) => {
    const matrices = [
      { width: depth, at: (t: Expr, d: Expr) => reads.q([b, g, t, d]) },
      { width, at: (t: Expr, e: Expr) => grad([b, g, t, e]) },
      { width: 2, at: (t: Expr, i: Expr) => queryGradient([b, g, t, add(i, i32(depth))]) },
    ];
    return forBlocks(
      { loops, schedule, count: queries, matrices },
      queriesFrom(attention, own),
      i32(queries),
      (block) => {
        const { statements, slopes, applied } = slopesOf(work, own, { b, g }, block, { k: k.column, v: v.column });
        const column =
          (matrix: number) =>
          (c: Expr): Column =>
            block.column(matrix, c);
        return [
          ...statements,
          addWeighted(work, depth, { sums: keySums, weights: slopes, shared: column(0) }),
          addWeighted(work, width, { sums: valueSums, weights: applied, shared: column(1) }),
        ];
      },
    );
  });
  const at = (row: number, column: Expr): Expr[] => [b, own.at[row] as Expr, column];
  return {
    invocations: own.workgroups * schedule.lanes,
    workgroup: workgroupFor(schedule, [depth, width, 2]),
    body: [
      keySums.statement,
      valueSums.statement,
      ...k.statements,
      ...v.statements,
      along,
      storeRows(work, own.exists, depth, (row, d) => sink(at(row, d), multiply(keySums.load(row, d), f32(scale)))),
      storeRows(work, own.exists, width, (row, e) => sink(at(row, add(e, i32(depth))), valueSums.load(row, e))),
    ],
  };
}

/** The gradients of the scores of a lane's keys with a block of queries, and the weights that values are multiplied with. */
function slopesOf(
  work: AttentionWork,
  own: OwnRows,
  { b, g }: Pick<Pair, "b" | "g">,
  block: Block,
  { k, v }: { k: OwnColumn; v: OwnColumn },
): { statements: Statement[]; slopes: Expr[][]; applied: Expr[][] } {
  const { attention, reads, loops } = work;
  const scores = products(work, attention.depth, k, (d) => block.column(0, d));
  const arriving = products(work, attention.width, v, (e) => block.column(1, e));
  const [logSums, dots] = [block.column(2, i32(0)), block.column(2, i32(1))];
  const statements = [scores, arriving, logSums, dots].flatMap((part) => part.statements);
  const named = (stem: string, value: Expr): Expr => {
    const { statement, use } = letIn(loops.names, stem, value);
    statements.push(statement);
    return use;
  };
  const applied: Expr[][] = [];
  const slopes = scores.values.map((row, i) => {
    const used: Expr[] = [];
    applied.push(used);
    return row.map((product, n) => {
      const pair: Pair = { b, g, t: block.rows[n] as Expr, s: own.at[i] as Expr };
      const score = scoreOf(attention, reads, pair, product, block.exist[n] as Expr);
      const weight = named("weight", unary("exp", subtract(score, logSums.values[n] as Expr)));
      used.push(named("applied", appliedWeight(reads, pair, weight)));
      const arrived = appliedWeight(reads, pair, arriving.values[i]?.[n] as Expr);
      return named("slope", multiply(weight, subtract(arrived, dots.values[n] as Expr)));
    });
  });
  return { statements, slopes, applied };
}

/** The first query that sees a key of the workgroup. */
function queriesFrom({ queries, causal, offset }: Attention, own: OwnRows): Expr {
  return causal ? minimum(i32(queries), maximum(subtract(own.first, i32(offset)), i32(0))) : i32(0);
}
