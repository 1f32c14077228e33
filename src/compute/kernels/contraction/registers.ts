/**
 * Matrix products without workgroup memory, each invocation with a tile of results in registers.
 *
 * A step of k loads a column of the left tile and a row of the right one, and makes rows * columns products of them.
 */
import { add, i32, multiply } from "../../lang/build.ts";
import { invocationOf, laneOf, workgroupOf } from "../../lang/expr.ts";
import { LANES_DEFAULT, type Expr } from "../../lang/kernel.ts";
import type { Grid } from "../grid.ts";
import type { ContractionSchedule } from "./schedule.ts";
import {
  addProducts,
  alongInner,
  placesOf,
  storeByRow,
  tilePlaceOf,
  totalsOf,
  type Places,
  type Work,
} from "./tile.ts";

/** Tiles in row-major order, an invocation each. */
export function registers(work: Work, schedule: ContractionSchedule & { kind: "registers" }): Grid {
  const { batch, rows, columns } = work.product;
  const across = Math.ceil(columns / schedule.columns);
  const down = Math.ceil(rows / schedule.rows);
  const invocations = batch * down * across;
  const tile = tilePlaceOf(invocationOf(invocations), across, down);
  const ns = placesOf(tile.column, schedule.columns, columns);
  return { invocations, body: tileBody(work, schedule, tile.matrix, tile.row, ns) };
}

/** Lanes along the columns: all of a workgroup have the same rows, which are seen to depend on the workgroup alone. */
export function columns(work: Work, schedule: ContractionSchedule & { kind: "columns" }): Grid {
  const { batch, rows, columns: size } = work.product;
  const lanes = LANES_DEFAULT;
  const across = Math.ceil(size / (lanes * schedule.columns));
  const down = Math.ceil(rows / schedule.rows);
  const workgroups = batch * down * across;
  const tile = tilePlaceOf(workgroupOf(workgroups), across, down);
  const ns = placesOf(add(multiply(tile.column, i32(lanes)), laneOf(lanes)), schedule.columns, size);
  return {
    invocations: workgroups * lanes,
    workgroup: { lanes, shared: [] },
    body: tileBody(work, schedule, tile.matrix, tile.row, ns),
  };
}

function tileBody(
  work: Work,
  { rows, columns: width, steps }: { rows: number; columns: number; steps: number },
  matrix: Expr,
  rowTile: Expr,
  ns: Places,
): Grid["body"] {
  const ms = placesOf(rowTile, rows, work.product.rows);
  const totals = totalsOf(work.loops, rows, width);
  const loop = alongInner(work, steps, (ks) => {
    const loaded = ks.map((k) => ({
      lefts: ms.at.map((m) => work.left([matrix, m, k])),
      rights: ns.at.map((n) => work.right([matrix, k, n])),
    }));
    return addProducts(totals, loaded);
  });
  const firstRow = multiply(rowTile, i32(rows));
  return [...totals.statements, loop, ...storeByRow(work, totals, { matrix, firstRow, columns: ns })];
}
