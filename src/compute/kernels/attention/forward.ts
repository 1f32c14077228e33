/**
 * Attention forward: [B, G, T, E + 1], the result and in the last column the logarithm of the sum of e^score, with which
 * the gradients compute the weights again; it is so high for a query that sees no key that no weight is left.
 *
 * A lane goes along the keys with the highest score so far, the sum of e^(score - highest), and that of the values with
 * these weights; what was summed before shrinks when a higher score comes.
 */
import { add, divide, f32, greater, i32, maximum, minimum, multiply, remainder, select, subtract, unary } from "../../lang/build.ts"; // prettier-ignore
import type { Expr, Statement } from "../../lang/kernel.ts";
import { assign, letIn, varIn } from "../../lang/statements.ts";
import type { Grid } from "../grid.ts";
import { appliedWeight, MASKED_SCORE, scoreOf, UNSEEN_SCORE, type Attention, type Pair } from "./attention.ts";
import { ownRows, type OwnRows } from "./own-rows.ts";
import { forBlocks, workgroupFor, type Block, type Column } from "./shared-rows.ts";
import { addWeighted, keptRows, onlyIf, products, storeRows, ownArray, type AttentionWork, type OwnColumn, type OwnArray } from "./work.ts"; // prettier-ignore

export function attentionForward(work: AttentionWork): Grid {
  const { attention, reads, schedule, loops } = work;
  const { batch, group, queries, keys, depth, width, causal } = attention;
  const own = ownRows(batch * group, queries, schedule, causal);
  const { b, g } = headOf(own, group);
  const running = own.at.map(() => ({
    highest: varIn(loops.names, "highest", f32(MASKED_SCORE)),
    total: varIn(loops.names, "total", f32(0)),
  }));
  const sums = ownArray(work, "sums", width);
  const q = keptRows(work, depth, (row, d) => reads.q([b, g, own.at[row] ?? i32(0), d]));
  const matrices = [
    { width: depth, at: (s: Expr, d: Expr) => reads.k([b, s, d]) },
    { width, at: (s: Expr, e: Expr) => reads.v([b, s, e]) },
  ];
  const state: Running = { highest: running.map((row) => row.highest.use), total: running.map((row) => row.total.use) };
  const along = forBlocks({ loops, schedule, count: keys, matrices }, i32(0), keysEnd(attention, own), (block) =>
    oneBlock(work, own, { b, g }, block, { q: q.column, sums, state }),
  );
  return {
    invocations: own.workgroups * schedule.lanes,
    workgroup: workgroupFor(schedule, [depth, width]),
    body: [
      sums.statement,
      ...running.flatMap(({ highest, total }) => [highest.statement, total.statement]),
      ...q.statements,
      ...along,
      ...finish(work, own, { b, g }, sums, state),
    ],
  };
}

/** Of each of a lane's rows. */
interface Running {
  readonly highest: readonly Expr[];
  readonly total: readonly Expr[];
}

function oneBlock(
  work: AttentionWork,
  own: OwnRows,
  { b, g }: Pick<Pair, "b" | "g">,
  block: Block,
  { q, sums, state }: { q: OwnColumn; sums: OwnArray; state: Running },
): Statement[] {
  const { attention, reads, loops } = work;
  const scores = products(work, attention.depth, q, (d) => block.column(0, d));
  const statements: Statement[] = [...scores.statements];
  const named = (stem: string, value: Expr): Expr => {
    const { statement, use } = letIn(loops.names, stem, value);
    statements.push(statement);
    return use;
  };
  const shrunk: Expr[] = [];
  const weights = scores.values.map((row, i) => {
    const [highest, total] = [state.highest[i] as Expr, state.total[i] as Expr];
    const pairs = block.rows.map((s): Pair => ({ b, g, t: own.at[i] ?? s, s }));
    const all = row.map((product, n) =>
      named("score", scoreOf(attention, reads, pairs[n] as Pair, product, block.exist[n] as Expr)),
    );
    const next = named("next", maximum(highest, all.reduce(maximum)));
    const less = named("shrunk", unary("exp", subtract(highest, next)));
    shrunk.push(less);
    const exponentials = all.map((score) => named("weight", unary("exp", subtract(score, next))));
    statements.push(assign(total, add(multiply(total, less), exponentials.reduce(add))), assign(highest, next));
    return exponentials.map((weight, n) => named("applied", appliedWeight(reads, pairs[n] as Pair, weight)));
  });
  const shared = (e: Expr): Column => block.column(1, e);
  return [...statements, addWeighted(work, attention.width, { sums, weights, shared, shrunk })];
}

function finish(
  work: AttentionWork,
  own: OwnRows,
  { b, g }: Pick<Pair, "b" | "g">,
  sums: OwnArray,
  { highest, total }: Running,
): Statement[] {
  const { attention, loops, sink } = work;
  const statements: Statement[] = [];
  const ends = own.at.map((t, row) => {
    const [top, sum] = [highest[row] as Expr, total[row] as Expr];
    const isSeen = greater(top, f32(UNSEEN_SCORE));
    const share = letIn(loops.names, "share", select(isSeen, divide(f32(1), sum), f32(0)));
    const logSum = select(isSeen, add(top, unary("log", sum)), f32(-MASKED_SCORE));
    statements.push(share.statement);
    const last = sink([b, g, t, i32(attention.width)], logSum);
    return { share: share.use, last: onlyIf(own.exists[row] as Expr, last) };
  });
  const stores = storeRows(work, own.exists, attention.width, (row, e) =>
    sink([b, g, own.at[row] as Expr, e], multiply(sums.load(row, e), ends[row]?.share as Expr)),
  );
  return [...statements, stores, ...ends.flatMap(({ last }) => last)];
}

/** The batch and the place in the group of a workgroup's queries. */
export function headOf({ matrix }: OwnRows, group: number): Pick<Pair, "b" | "g"> {
  return { b: divide(matrix, i32(group)), g: remainder(matrix, i32(group)) };
}

/** The key after the last one that a query of the workgroup sees. */
export function keysEnd({ keys, causal, offset }: Attention, own: OwnRows): Expr {
  return causal ? minimum(i32(keys), maximum(add(own.end, i32(offset)), i32(1))) : i32(keys);
}
