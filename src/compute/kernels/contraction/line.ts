/**
 * Matrix products with few results and a long k: a workgroup a result. Each lane sums the products of every so many k,
 * then the sums are added in a tree. For GPUs; neighbouring lanes load neighbouring k.
 */
import { add, equal, i32, less, loadShared, multiply, select } from "../../lang/build.ts";
import { constant, laneOf, rangeOf, workgroupOf } from "../../lang/expr.ts";
import type { Expr, Statement } from "../../lang/kernel.ts";
import { assign, BARRIER, storeShared, varIn, when } from "../../lang/statements.ts";
import type { Grid } from "../grid.ts";
import type { ContractionSchedule } from "./schedule.ts";
import { atMost, tilePlaceOf, type Work } from "./tile.ts";

export function line(work: Work, { lanes }: ContractionSchedule & { kind: "line" }): Grid {
  const { product, left, right, sink, loops } = work;
  const { batch, rows, columns, inner } = product;
  const lane = laneOf(lanes);
  const { matrix, row, column } = tilePlaceOf(workgroupOf(batch * rows * columns), columns, rows);
  const total = varIn(loops.names, "total", constant("f32", 0));
  const sum = loops.for("k", i32(0), i32(Math.ceil(inner / lanes)), (round) => {
    const k = add(multiply(round, i32(lanes)), lane);
    const inside = atMost(k, inner - 1);
    const both = multiply(left([matrix, row, inside]), right([matrix, inside, column]));
    const counted = rangeOf(k).max < inner ? both : select(less(k, i32(inner)), both, constant("f32", 0));
    return [assign(total.use, add(total.use, counted))];
  });
  const shared = (place: Expr): Expr => loadShared(0, place, "f32");
  const tree: Statement[] = [storeShared(0, lane, total.use)];
  for (let half = lanes / 2; half >= 1; half /= 2) {
    const both = add(shared(lane), shared(add(lane, i32(half))));
    tree.push(BARRIER, when(less(lane, i32(half)), [storeShared(0, lane, both)]));
  }
  return {
    invocations: batch * rows * columns * lanes,
    workgroup: { lanes, shared: [{ type: "f32", length: lanes }] },
    body: [total.statement, sum, ...tree, when(equal(lane, i32(0)), sink([matrix, row, column], shared(i32(0))))],
  };
}
