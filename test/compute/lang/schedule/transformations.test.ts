import { expect, test } from "vitest";
import { OptionError, ScheduleError } from "../../../../src/base/errors.ts";
import * as build from "../../../../src/compute/lang/build.ts";
import type { Expr } from "../../../../src/compute/lang/kernel.ts";
import { printWgsl } from "../../../../src/compute/lang/print-wgsl.ts";
import { cacheInRegisters } from "../../../../src/compute/lang/schedule/cache-in-registers.ts";
import { cacheInWorkgroup } from "../../../../src/compute/lang/schedule/cache-in-workgroup.ts";
import { collapse } from "../../../../src/compute/lang/schedule/collapse.ts";
import { fuse } from "../../../../src/compute/lang/schedule/fuse.ts";
import { loopNest, type LoopNest, type Step, type Update } from "../../../../src/compute/lang/schedule/loop-nest.ts";
import { lowerNest } from "../../../../src/compute/lang/schedule/lower-nest.ts";
import { parallelize } from "../../../../src/compute/lang/schedule/parallelize.ts";
import { reorder } from "../../../../src/compute/lang/schedule/reorder.ts";
import { split } from "../../../../src/compute/lang/schedule/split.ts";
import { unroll } from "../../../../src/compute/lang/schedule/unroll.ts";
import { vectorize } from "../../../../src/compute/lang/schedule/vectorize.ts";

const { add, f32, i32, multiply, subtract } = build;

/** x[i + 1, j + 1] = x[i + di, j + dj] + 1, over 6 x 6 of 8 x 8. */
function stencil(di: number, dj: number): LoopNest {
  return loopNest("stencil", (nest) => {
    const x = nest.array("x", "f32", [8, 8]);
    nest.for("i", 6, (i) =>
      nest.for("j", 6, (j) =>
        nest.store(x, [add(i, i32(1)), add(j, i32(1))], add(x.at(add(i, i32(di)), add(j, i32(dj))), f32(1))),
      ),
    );
  });
}

/** y[i] = x[i] + 1, then z[i] = y[i + shift] * 2. */
function chain(shift: number): LoopNest {
  return loopNest("chain", (nest) => {
    const [x, y, z] = ["x", "y", "z"].map((name) => nest.array(name, "f32", [9]));
    if (x === undefined || y === undefined || z === undefined) return;
    nest.for("i", 8, (i) => nest.store(y, [add(i, i32(1))], add(x.at(i), f32(1))));
    nest.for("k", 8, (k) => nest.store(z, [k], multiply(y.at(add(k, i32(shift))), f32(2))));
  });
}

/** out[j] = out[j] op x[i, j] */
function columns(op: Update["op"], order: Update["order"], type: "f32" | "i32" = "f32"): LoopNest {
  return loopNest("columns", (nest) => {
    const x = nest.array("x", type, [4, 6]);
    const out = nest.array("out", type, [6]);
    nest.for("i", 4, (i) => nest.for("j", 6, (j) => nest.accumulate(op, out, [j], x.at(i, j), order)));
  });
}

/** The loops, each with what it holds: `i(j(.) .)`; a dot is a statement, a star copies a shared tile. */
function shape(steps: readonly Step[]): string {
  const words = (step: Step): string =>
    step.kind === "loop" ? `${step.name}:${step.extent}(${shape(step.body)})` : step.kind === "fill" ? "*" : ".";
  return steps.map(words).join(" ");
}

function refusal(run: () => unknown): ScheduleError {
  try {
    run();
  } catch (error) {
    if (error instanceof ScheduleError) return error;
    throw error;
  }
  return expect.fail("expected a refusal");
}

test("a refused order names the array, both uses, their distance and what would happen", () => {
  const error = refusal(() => reorder(stencil(0, 2), ["j", "i"]));
  expect(error.message).toBe(
    "reorder(j, i): expected every dependence to hold, found x[((i + 1) * 8) + (j + 1)] stored and then " +
      "x[(i * 8) + (j + 2)] loaded, which is the same element (direction i < by 1, j > by 1), which would change places",
  );
  expect([error.code, error.array, error.direction]).toEqual(["schedule", "x", "i < by 1, j > by 1"]);
  expect(error.uses).toEqual(["x[((i + 1) * 8) + (j + 1)] stored", "x[(i * 8) + (j + 2)] loaded"]);
});

test("loops are reordered where every dependence runs forward both ways", () => {
  for (const [di, dj] of [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
    [2, 2],
    [1, 2],
  ] as const) {
    // prettier-ignore
    expect(shape(reorder(stencil(di, dj), ["j", "i"]).body)).toBe("j:6(i:6(.))");
  }
  // An element that is loaded before it is overwritten.
  expect(refusal(() => reorder(stencil(2, 0), ["j", "i"])).direction).toBe("i < by 1, j > by 1");
});

test("f32 sums stay in their order unless any will do; minima, maxima and integers may change it", () => {
  for (const nest of [columns("add", "any"), columns("maximum", "asWritten"), columns("add", "asWritten", "i32")]) {
    expect(shape(reorder(split(nest, "i", 2), ["i_inner", "j", "i_outer"]).body)).toBe("i_inner:2(j:6(i_outer:2(.)))");
  }
  const reversed = split(columns("add", "asWritten"), "i", 2);
  const { message } = refusal(() => reorder(reversed, ["i_inner", "i_outer"]));
  expect(message).toContain(
    "out[j] updated and then out[j] updated, which is the same element, in an order that counts",
  );
});

test("the loop over columns may come first while each column is summed in order", () => {
  expect(shape(reorder(columns("add", "asWritten"), ["j", "i"]).body)).toBe("j:6(i:4(.))");
});

test("loops are fused unless the second would load too early", () => {
  expect(shape(fuse(chain(1), "i", "k").body)).toBe("i:8(. .)");
  expect(shape(fuse(chain(0), "i", "k").body)).toBe("i:8(. .)");
  const shifted = loopNest("shifted", (nest) => {
    const [x, y] = [nest.array("x", "f32", [9]), nest.array("y", "f32", [8])];
    nest.for("i", 9, (i) => nest.store(x, [i], f32(1)));
    nest.for("k", 8, (k) => nest.store(y, [k], x.at(add(k, i32(1)))));
  });
  expect(() => fuse(shifted, "i", "k")).toThrow(/fuse\(i, k\): expected loops of one extent, found 9 and 8/);
  const early = loopNest("early", (nest) => {
    const [x, y] = [nest.array("x", "f32", [9]), nest.array("y", "f32", [8])];
    nest.for("i", 8, (i) => nest.store(x, [i], f32(1)));
    nest.for("k", 8, (k) => nest.store(y, [k], x.at(add(k, i32(1)))));
  });
  expect(refusal(() => fuse(early, "i", "k")).direction).toBe("i > by 1");
});

test("a loop that carries a dependence is not handed out, not even for a sum in any order", () => {
  expect(refusal(() => parallelize(stencil(0, 1), "i", "workgroups")).direction).toBe("i < by 1, j =");
  expect(shape(parallelize(stencil(1, 0), "i", "workgroups").body)).toBe("i:6(j:6(.))");
  expect(refusal(() => parallelize(columns("add", "any"), "i", "lanes")).message).toContain("which would run at once");
  const inner = reorder(columns("add", "any"), ["j", "i"]);
  expect(lowerNest(parallelize(inner, "j", "lanes")).workgroup).toEqual({ lanes: 6, shared: [] });
});

test("of indices that are not affine it is assumed that they meet, and said so", () => {
  const scatter = loopNest("scatter", (nest) => {
    const [at, out] = [nest.array("at", "i32", [8]), nest.array("out", "f32", [8])];
    nest.for("i", 8, (i) => nest.store(out, [at.at(i)], f32(1)));
  });
  const error = refusal(() => parallelize(scatter, "i", "workgroups"));
  expect(error.message).toContain("out[b0[i]] stored and then out[b0[i]] stored, which may be the same element");
  expect(error.direction).toBe("i any");
  // What is known is used: of 64 places every other one.
  const even = loopNest("even", (nest) => {
    const x = nest.array("x", "f32", [65]);
    nest.for("i", 64, (i) => {
      const half = multiply(build.divide(i, i32(2)), i32(2));
      nest.store(x, [add(half, i32(1))], x.at(half));
    });
  });
  expect(refusal(() => parallelize(even, "i", "lanes")).uses[0]).toContain("stored");
  expect(shape(parallelize(split(even, "i", 2), "i_outer", "lanes").body)).toBe("i_outer:32(i_inner:2(.))");
});

test("split by what does not divide guards the statements, and conditions go as far out as they can", () => {
  const nest = loopNest("copy", (it) => {
    const [x, y] = [it.array("x", "f32", [7, 10]), it.array("y", "f32", [7, 10])];
    it.for("i", 7, (i) => it.for("j", 10, (j) => it.store(y, [i, j], x.at(i, j))));
  });
  const wgsl = printWgsl(lowerNest(parallelize(split(split(nest, "i", 4), "j", 5), "i_outer", "workgroups")));
  const [before = "", after = ""] = wgsl.split("v_j_outer = 0i");
  expect(before).toMatch(/ < 7i\)\) \{\s+(let [^;]+;\s+)*for \(var $/);
  expect(after).not.toContain("7i");
});

test("a vector's loads stand together before its stores", () => {
  const nest = vectorize(split(chain(1), "k", 4), "k_inner");
  const wgsl = printWgsl(lowerNest(nest));
  expect(wgsl.match(/let v_loaded\w* = b1\[/g)).toHaveLength(4);
  expect(wgsl.match(/b2\[\w+\] = /g)).toHaveLength(4);
  expect(wgsl.lastIndexOf("= b1[")).toBeLessThan(wgsl.indexOf("  b2["));
  expect(refusal(() => vectorize(stencil(1, 0), "j")).direction).toBe("i =, j < by 1");
  expect(shape(vectorize(stencil(1, 2), "j").body)).toBe("i:6(j:6(.))");
});

test("accumulators stay in registers: nothing is loaded that the first statement overwrites", () => {
  const rows = loopNest("rows", (nest) => {
    const [x, out] = [nest.array("x", "f32", [4, 6]), nest.array("out", "f32", [4])];
    nest.for("i", 4, (i) => {
      nest.store(out, [i], f32(0));
      nest.for("j", 6, (j) => nest.accumulate("add", out, [i], x.at(i, j)));
    });
  });
  const kernel = lowerNest(cacheInRegisters(rows, "out", "i"));
  expect(kernel.bindings.map(({ access }) => access)).toEqual(["read", "write"]);
  expect(printWgsl(kernel)).toMatch(/v_out_tile_at0 = \(v_out_tile_at0 \+ b0\[/);
  // Without it, what was there counts.
  const sum = lowerNest(cacheInRegisters(reorder(columns("add", "asWritten"), ["j", "i"]), "out", "j"));
  expect(sum.bindings.map(({ access }) => access)).toEqual(["read", "readWrite"]);
});

test("tiles in shared memory are as large as what is used, edges and all", () => {
  const blur = loopNest("blur", (nest) => {
    const [x, y] = [nest.array("x", "f32", [66]), nest.array("y", "f32", [64])];
    nest.for("i", 64, (i) => nest.store(y, [i], [0, 1, 2].map((d) => x.at(add(i, i32(d)))).reduce(add)));
  });
  let nest = parallelize(split(blur, "i", 16), "i_outer", "workgroups");
  nest = cacheInWorkgroup(parallelize(nest, "i_inner", "lanes"), "x", "i_inner");
  expect(lowerNest(nest).workgroup).toEqual({ lanes: 16, shared: [{ type: "f32", length: 18 }] });
  expect(() => cacheInWorkgroup(nest, "y", "i_inner")).toThrow(/only loaded, found one that is stored/);
  expect(() => split(nest, "i_inner", 2)).toThrow(OptionError);
});

test("what is no such loop, or not so nested, is the caller's mistake, and named", () => {
  const nest = stencil(1, 1);
  const mistakes: readonly [() => unknown, RegExp][] = [
    [() => split(nest, "q", 2), /split\(q, 2\): expected one of the loops i, j, found q/],
    [() => split(nest, "i", 0), /a factor of at least 1, found 0/],
    [() => split(nest, "i", 2, ["j", "x"]), /expected a free name .* found "j"/],
    [() => reorder(nest, []), /at least one/],
    [() => reorder(nest, ["i", "i"]), /each loop once/],
    [() => reorder(chain(0), ["i", "k"]), /hold one another and nothing else, found only i so/],
    [() => fuse(chain(0), "k", "i"), /expected i right after k, found nothing/],
    [() => collapse(nest, "j", "i"), /expected i to be all that j holds/],
    [() => vectorize(nest, "i"), /a loop of statements alone/],
    [() => vectorize(reorder(nest, ["j", "i"]), "i"), /a stride of 0 or 1 in x\[.*, found 8/],
    [() => parallelize(nest, "j", "lanes"), /expected loops of lanes around it, found i serial/],
    [() => parallelize(chain(0), "i", "lanes"), /nothing beside i/],
    [() => unroll(unroll(nest, "j"), "j"), /expected a serial loop, found j marked unrolled: mark loops last/],
    [() => cacheInWorkgroup(nest, "x", "i"), /loops handed out to lanes, found none/],
    [() => cacheInRegisters(stencil(0, 0), "x", "j"), /all uses to be of one tile/],
    [() => cacheInRegisters(nest, "w", "j"), /a use of w, found none/],
  ];
  for (const [run, words] of mistakes) {
    expect(run).toThrow(OptionError);
    expect(run).toThrow(words);
  }
});

test("a nest that cannot be is refused where it is written", () => {
  const write =
    (at: (i: Expr) => Expr, value: Expr = f32(1)) =>
    () =>
      loopNest("bad", (nest) => {
        const x = nest.array("x", "f32", [8]);
        nest.for("i", 8, (i) => nest.store(x, [at(i)], value));
      });
  expect(write((i) => i)).not.toThrow();
  expect(write((i) => add(i, i32(1)))).toThrow(/x\[i \+ 1\]: expected an index from 0 to 7 at every iteration/);
  expect(write((i) => subtract(i, i32(1)))).toThrow(OptionError);
  expect(write((i) => subtract(i32(7), i))).not.toThrow();
  expect(write((i) => i, i32(1))).toThrow(/a value for f32, found i32/);
  expect(() => loopNest("bad", (nest) => nest.for("lane", 4, () => {}))).toThrow(/a free name/);
  expect(() => loopNest("bad", (nest) => nest.for("i_outer", 4, () => {}))).toThrow(/a free name/);
  expect(() => loopNest("bad", (nest) => nest.for("i", 0, () => {}))).toThrow(/an extent of at least 1/);
});
