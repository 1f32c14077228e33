/** The schedules that matter most, with every size a parameter: a matrix product and a stencil from shared tiles. */
import * as build from "../../../../src/compute/lang/build.ts";
import { constant } from "../../../../src/compute/lang/expr.ts";
import { cacheInRegisters } from "../../../../src/compute/lang/schedule/cache-in-registers.ts";
import { cacheInWorkgroup } from "../../../../src/compute/lang/schedule/cache-in-workgroup.ts";
import { fuse } from "../../../../src/compute/lang/schedule/fuse.ts";
import { loopNest, type LoopNest } from "../../../../src/compute/lang/schedule/loop-nest.ts";
import { parallelize } from "../../../../src/compute/lang/schedule/parallelize.ts";
import { reorder } from "../../../../src/compute/lang/schedule/reorder.ts";
import { split } from "../../../../src/compute/lang/schedule/split.ts";
import { unroll } from "../../../../src/compute/lang/schedule/unroll.ts";
import { vectorize } from "../../../../src/compute/lang/schedule/vectorize.ts";

const { add, i32, multiply } = build;

export interface Sizes {
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** out[i, j] = sum over k, in order, of a[i, k] * b[k, j] */
export function naiveProduct({ m, n, k }: Sizes, type: "f32" | "i32"): LoopNest {
  return loopNest("product", (nest) => {
    const a = nest.array("a", type, [m, k]);
    const b = nest.array("b", type, [k, n]);
    const out = nest.array("out", type, [m, n]);
    nest.for("i0", m, (i) => nest.for("j0", n, (j) => nest.store(out, [i, j], constant(type, 0))));
    nest.for("i", m, (i) =>
      nest.for("j", n, (j) =>
        nest.for("k", k, (at) => nest.accumulate("add", out, [i, j], multiply(a.at(i, at), b.at(at, j)))),
      ),
    );
  });
}

/** Lanes and registers of a tile down and across, and its depth. */
export interface Tile {
  readonly lanes: readonly [down: number, across: number];
  readonly registers: readonly [down: number, across: number];
  readonly depth: number;
  /** What is done beyond tiling. */
  readonly holds: boolean;
  readonly shares: boolean;
  readonly unrolls: boolean;
}

/** Tiles of the output for workgroups, in them for lanes, in them in registers; tiles of a and b in shared memory. */
export function tiledProduct(naive: LoopNest, { lanes, registers, depth, holds, shares, unrolls }: Tile): LoopNest {
  let nest = naive;
  for (const end of ["0", ""]) {
    for (const [axis, name] of ["i", "j"].entries()) {
      const [lane, register] = [lanes[axis] ?? 1, registers[axis] ?? 1];
      nest = split(nest, `${name}${end}`, lane * register, [`w${name}${end}`, `t${name}${end}`]);
      nest = split(nest, `t${name}${end}`, register, [`l${name}${end}`, `r${name}${end}`]);
    }
  }
  nest = split(nest, "k", depth, ["ko", "ki"]);
  nest = reorder(nest, ["wi0", "wj0", "li0", "lj0", "ri0", "rj0"]);
  nest = reorder(nest, ["wi", "wj", "li", "lj", "ko", "ki", "ri", "rj"]);
  for (const name of ["wi", "wj", "li", "lj"]) nest = fuse(nest, `${name}0`, name);
  for (const name of ["wi0", "wj0"]) nest = parallelize(nest, name, "workgroups");
  for (const name of ["li0", "lj0"]) nest = parallelize(nest, name, "lanes");
  if (unrolls) for (const name of ["ri0", "ri"]) nest = unroll(nest, name);
  if (unrolls) for (const name of ["rj0", "rj"]) nest = vectorize(nest, name);
  if (holds) nest = cacheInRegisters(nest, "out", "lj0");
  if (shares) for (const name of ["a", "b"]) nest = cacheInWorkgroup(nest, name, "ko");
  if (shares && holds) for (const name of ["a_shared", "b_shared"]) nest = cacheInRegisters(nest, name, "ki");
  return nest;
}

/** out[i, j] = the sum over a window of x[i + di, j + dj], rows and columns of the output as given. */
export function naiveStencil(rows: number, columns: number, window: number, type: "f32" | "i32"): LoopNest {
  return loopNest("stencil", (nest) => {
    const x = nest.array("x", type, [rows + window - 1, columns + window - 1]);
    const out = nest.array("out", type, [rows, columns]);
    const offsets = Array.from(
      { length: window * window },
      (_, i) => [i32(Math.floor(i / window)), i32(i % window)] as const,
    );
    nest.for("i", rows, (i) =>
      nest.for("j", columns, (j) => {
        const values = offsets.map(([di, dj]) => x.at(add(i, di), add(j, dj)));
        nest.store(out, [i, j], values.reduce(add));
      }),
    );
  });
}

/** Each workgroup loads its tile with its edges once. */
export function tiledStencil(naive: LoopNest, lanes: readonly [number, number]): LoopNest {
  let nest = split(naive, "i", lanes[0], ["wi", "li"]);
  nest = split(nest, "j", lanes[1], ["wj", "lj"]);
  nest = reorder(nest, ["wi", "wj", "li", "lj"]);
  for (const name of ["wi", "wj"]) nest = parallelize(nest, name, "workgroups");
  for (const name of ["li", "lj"]) nest = parallelize(nest, name, "lanes");
  return cacheInWorkgroup(nest, "x", "lj");
}
