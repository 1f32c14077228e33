/** Seeded random nests of the kinds that numerical code is made of, small enough to try every pair of iterations. */
import type { Random } from "../../../../src/base/random.ts";
import * as build from "../../../../src/compute/lang/build.ts";
import { constant } from "../../../../src/compute/lang/expr.ts";
import type { Expr } from "../../../../src/compute/lang/kernel.ts";
import {
  loopNest,
  type LoopNest,
  type NestBuilder,
  type Update,
} from "../../../../src/compute/lang/schedule/loop-nest.ts";

const { add, divide, i32, load, multiply, remainder, subtract } = build;

/** The type of all arrays that are computed with. */
export type NestType = "i32" | "f32";

type Family = (nest: NestBuilder, random: Random, type: NestType) => void;

/** A nest of one of the families; its name is the family's. */
export function randomNest(random: Random, type: NestType): LoopNest {
  const name = random.pick(Object.keys(FAMILIES));
  return loopNest(name, (nest) => FAMILIES[name]?.(nest, random, type));
}

/** Small values of arrays: sums of a few hundred products stay exact in i32. */
export function randomValues(random: Random, nest: LoopNest): (Float32Array | Int32Array)[] {
  return nest.arrays.map(({ type, length }) => {
    if (type === "f32") return Float32Array.from({ length }, () => random.normal());
    return Int32Array.from({ length }, () => random.below(19) - 9);
  });
}

const extentOf = (random: Random, most: number = 6): number => 2 + random.below(most - 1);

const FAMILIES: Readonly<Record<string, Family>> = {
  product(nest, random, type) {
    const [m, n, k] = [extentOf(random), extentOf(random), extentOf(random)];
    const a = nest.array("a", type, [m, k]);
    const b = nest.array("b", type, random.below(2) === 0 ? [k, n] : [n, k]);
    const out = nest.array("out", type, [m, n]);
    const order = orderOf(random);
    const inner = (i: Expr, j: Expr): void =>
      nest.for("k", k, (at) => {
        const right = b.shape[0] === k && b.shape[1] === n ? b.at(at, j) : b.at(j, at);
        nest.accumulate(opOf(random), out, [i, j], multiply(a.at(i, at), right), order);
      });
    if (random.below(2) === 0) {
      nest.for("y", m, (i) => nest.for("x", n, (j) => nest.store(out, [i, j], constant(type, 0))));
      nest.for("i", m, (i) => nest.for("j", n, (j) => inner(i, j)));
    } else {
      nest.for("i", m, (i) =>
        nest.for("j", n, (j) => {
          nest.store(out, [i, j], constant(type, 1));
          inner(i, j);
        }),
      );
    }
  },

  stencil(nest, random, type) {
    const [rows, columns] = [extentOf(random) + 2, extentOf(random) + 2];
    const from = nest.array("from", type, [rows, columns]);
    const to = random.below(2) === 0 ? from : nest.array("to", type, [rows, columns]);
    const shift = (x: Expr): Expr => add(x, i32(random.below(3)));
    nest.for("i", rows - 2, (i) =>
      nest.for("j", columns - 2, (j) => {
        const sum = add(from.at(shift(i), shift(j)), from.at(shift(i), shift(j)));
        nest.store(to, [add(i, i32(1)), add(j, i32(1))], sum);
      }),
    );
  },

  chain(nest, random, type) {
    const [rows, columns] = [extentOf(random), extentOf(random)];
    const count = 2 + random.below(2);
    const arrays = Array.from({ length: count + 1 }, (_, i) => nest.array(`t${i}`, type, [rows + 1, columns + 1]));
    for (let i = 0; i < count; i++) {
      const [from, to] = [arrays[i], arrays[random.below(4) === 0 ? i : i + 1]];
      if (from === undefined || to === undefined) continue;
      nest.for(`i${i}`, rows, (y) =>
        nest.for(`j${i}`, columns, (x) => {
          const shift = (at: Expr): Expr => add(at, i32(random.below(4) === 0 ? 1 : 0));
          nest.store(to, [y, x], add(multiply(from.at(shift(y), shift(x)), constant(type, 2)), constant(type, 1)));
        }),
      );
    }
  },

  scan(nest, random, type) {
    const [lines, length, step] = [extentOf(random), extentOf(random) + 1, 1 + random.below(2)];
    const x = nest.array("x", type, [lines, length + step]);
    const isAcross = random.below(2) === 0;
    nest.for("i", lines, (line) =>
      nest.for("j", length, (at) => {
        const before = random.below(4) === 0 && isAcross ? x.at(line, add(at, i32(step))) : x.at(line, at);
        nest.store(x, [line, add(at, i32(step))], add(before, x.at(line, add(at, i32(step)))));
      }),
    );
  },

  transpose(nest, random, type) {
    const [rows, columns] = [extentOf(random), extentOf(random)];
    const isInPlace = random.below(2) === 0;
    const side = Math.max(rows, columns);
    const x = nest.array("x", type, [side, side]);
    const y = isInPlace ? x : nest.array("y", type, [side, side]);
    nest.for("i", rows, (i) =>
      nest.for("j", columns, (j) => nest.store(y, [j, i], add(x.at(i, j), constant(type, 1)))),
    );
  },

  reduction(nest, random, type) {
    const [rows, columns] = [extentOf(random), extentOf(random)];
    const x = nest.array("x", type, [rows, columns]);
    const out = nest.array("out", type, [columns]);
    const [op, order] = [opOf(random), orderOf(random)];
    nest.for("i", rows, (i) =>
      nest.for("j", columns, (j) => {
        nest.accumulate(op, out, [random.below(3) === 0 ? i32(0) : j], x.at(i, j), order);
        if (random.below(3) > 0) return;
        const again = random.pick([out.at(j), x.at(i, j)]);
        nest.accumulate(random.pick([op, opOf(random)]), out, [random.pick([i32(0), j])], again, orderOf(random));
      }),
    );
  },

  /** Any affine indices. */
  affine(nest, random, type) {
    const counts = [extentOf(random, 4), extentOf(random, 4), extentOf(random, 3)];
    const x = nest.array("x", type, [64]);
    const y = nest.array("y", type, [64]);
    const index = (counters: readonly Expr[]): Expr =>
      counters.reduce(
        (sum, counter) => {
          const factor = random.below(4);
          return random.below(4) === 0 ? subtract(sum, counter) : add(sum, multiply(counter, i32(factor)));
        },
        i32(12 + random.below(4)),
      );
    const statement = (counters: readonly Expr[]): void => {
      const [from, to] = [random.pick([x, y]), random.pick([x, y])];
      nest.store(to, [index(counters)], add(from.at(index(counters)), constant(type, 1 + random.below(3))));
    };
    nest.for("i", counts[0] ?? 2, (i) =>
      nest.for("j", counts[1] ?? 2, (j) => {
        if (random.below(2) === 0) statement([i, j]);
        if (random.below(2) === 0) nest.for("k", counts[2] ?? 2, (k) => statement([i, j, k]));
        statement([i, j]);
      }),
    );
  },

  /** Indices that nobody can know, or that take division to know. */
  crooked(nest, random, type) {
    const [rows, columns] = [extentOf(random), extentOf(random)];
    const size = rows * columns;
    const x = nest.array("x", type, [size]);
    const places = nest.array("places", "i32", [size]);
    nest.for("i", rows, (i) =>
      nest.for("j", columns, (j) => {
        const flat = add(multiply(i, i32(columns)), j);
        const indices = [
          remainder(multiply(flat, flat), i32(size)),
          places.at(flat),
          divide(flat, i32(2)),
          remainder(flat, i32(3 + random.below(3))),
          flat,
        ];
        const [from, to] = [random.pick(indices), random.pick(indices)];
        nest.store(x, [random.below(2) === 0 ? flat : to], add(load(x.number, from, type), constant(type, 1)));
      }),
    );
  },
};

function orderOf(random: Random): Update["order"] {
  return random.below(2) === 0 ? "any" : "asWritten";
}

function opOf(random: Random): Update["op"] {
  return random.pick(["add", "add", "add", "minimum", "maximum"]);
}
