/**
 * Matrix products whose left operand goes through subgroups: the lanes lie along the columns, each loads another row of
 * the left tile, and broadcasts it to the others.
 *
 * So a step of k is one load a lane for `size` rows, besides those of the right operand. On software adapters, where a
 * load costs as much as ten products, that is twice as fast as registers alone, and half the code.
 */
import { add, divide, i32, multiply, remainder } from "../../lang/build.ts";
import { laneOf, workgroupOf } from "../../lang/expr.ts";
import { LANES_DEFAULT, type Expr, type Statement } from "../../lang/kernel.ts";
import { broadcastIn } from "../../lang/statements.ts";
import type { Grid } from "../grid.ts";
import type { ContractionSchedule } from "./schedule.ts";
import {
  addProducts,
  alongInner,
  atMost,
  placesOf,
  storeByRow,
  tilePlaceOf,
  totalsOf,
  type Step,
  type Work,
} from "./tile.ts";

const WORKGROUPS_WANTED = 32;

/** Runs on devices whose subgroups have exactly `size` lanes. */
export function subgroups(work: Work, schedule: ContractionSchedule & { kind: "subgroups" }): Grid {
  const { product, loops } = work;
  const { size, rows, columns } = schedule;
  const across = Math.ceil(product.columns / (size * columns));
  const down = Math.ceil(product.rows / rows);
  const tiles = product.batch * down * across;
  // Whole workgroups, but not so few that cores have none.
  const together = divisorUpTo(tiles, Math.max(1, Math.min(LANES_DEFAULT / size, tiles / WORKGROUPS_WANTED)));
  const lanes = together * size;
  const lane = laneOf(lanes);
  const tile = add(multiply(workgroupOf(tiles / together), i32(together)), divide(lane, i32(size)));
  const { matrix, row, column } = tilePlaceOf(tile, across, down);
  const ownLane = remainder(lane, i32(size));
  const ns = placesOf(add(multiply(column, i32(size)), ownLane), columns, product.columns);
  const firstRow = multiply(row, i32(rows));
  const totals = totalsOf(loops, rows, columns);
  const loop = alongInner(work, schedule.steps, (ks) => {
    const statements: Statement[] = [];
    const steps = ks.map((k): Step => {
      const lefts: Expr[] = [];
      for (let first = 0; first < rows; first += size) {
        const m = atMost(add(add(firstRow, i32(first)), ownLane), product.rows - 1);
        const own = work.left([matrix, m, k]);
        for (let from = 0; from < size && first + from < rows; from++) {
          const left = broadcastIn(loops.names, "left", own, from);
          statements.push(left.statement);
          lefts.push(left.use);
        }
      }
      return { lefts, rights: ns.at.map((n) => work.right([matrix, k, n])) };
    });
    return [...statements, ...addProducts(totals, steps)];
  });
  const body = [...totals.statements, loop, ...storeByRow(work, totals, { matrix, firstRow, columns: ns })];
  return { invocations: tiles * size, workgroup: { lanes, shared: [] }, body };
}

function divisorUpTo(count: number, most: number): number {
  let divisor = Math.min(count, Math.floor(most));
  while (count % divisor !== 0) divisor -= 1;
  return divisor;
}
