import { expect, test } from "vitest";
import { InvariantError } from "../../../src/base/errors.ts";
import * as build from "../../../src/compute/lang/build.ts";
import { invocationOf, variable } from "../../../src/compute/lang/expr.ts";
import { INVOCATION, type Binding, type Expr, type Kernel, type Statement } from "../../../src/compute/lang/kernel.ts";
import { compileJavaScript, printJavaScript } from "../../../src/compute/lang/print-javascript.ts";
import { printWgsl, workgroupsOf } from "../../../src/compute/lang/print-wgsl.ts";
import { assign, forRange, Names, store, varIn, when } from "../../../src/compute/lang/statements.ts";

const { add, f32, i32, load, multiply } = build;
const READ: Binding = { type: "f32", access: "read", length: 64 };
const WRITE: Binding = { type: "f32", access: "write", length: 64 };

function kernelOf(body: readonly Statement[], bindings: readonly Binding[] = [READ, WRITE]): Kernel {
  return { name: "test", bindings, invocations: 64, body };
}

/** How often `part` is in `text`. */
function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

/** Output of a kernel over READ and WRITE on JavaScript, with input[i] = i. */
function run(kernel: Kernel): Float32Array {
  const output = new Float32Array(64);
  compileJavaScript(printJavaScript(kernel))([Float32Array.from({ length: 64 }, (_, i) => i), output], 0, 64);
  return output;
}

test("a value that two expressions share is computed once, even when it was built twice", () => {
  const at = invocationOf(64);
  const square = (): Expr => multiply(load(0, at, "f32"), load(0, at, "f32"));
  const kernel = kernelOf([store(1, at, add(build.unary("exp", square()), build.unary("sqrt", square())))]);
  for (const text of [printWgsl(kernel), printJavaScript(kernel)]) {
    expect(count(text, "b0[invocation]")).toBe(1);
    expect(count(text, " * ")).toBe(1);
  }
});

test("what does not change in a loop is computed before it, and what a condition guards stays behind it", () => {
  const at = invocationOf(64);
  const names = new Names();
  const sum = varIn(names, "sum", f32(0));
  const isFirst = build.less(at, i32(8));
  const loop = forRange(names, "k", i32(0), i32(4), (k) => [
    assign(sum.use, add(sum.use, load(0, add(multiply(build.divide(at, i32(4)), i32(4)), k), "f32"))),
    when(isFirst, [assign(sum.use, add(sum.use, build.unary("log", load(0, i32(3), "f32"))))]),
  ]);
  const wgsl = printWgsl(kernelOf([sum.statement, loop, store(1, at, sum.use)]));
  const [before = "", inside = ""] = wgsl.slice(wgsl.indexOf("fn main")).split("for (");
  expect(before).toContain("invocation / 4i");
  expect(inside).not.toContain("invocation / 4i");
  expect(inside.slice(inside.indexOf("if ("))).toContain("log_f32(");
});

test("a variable that changes is read again", () => {
  const names = new Names();
  const at = invocationOf(64);
  const x = varIn(names, "x", load(0, at, "f32"));
  const double = (): Expr => add(x.use, x.use);
  const body = [x.statement, assign(x.use, double()), assign(x.use, double()), store(1, at, double())];
  expect([...run(kernelOf(body))].slice(0, 4)).toEqual([0, 8, 16, 24]);
});

test("the end of a loop is computed once, before its body changes what it depends on", () => {
  const names = new Names();
  const end = varIn(names, "end", i32(3));
  const sum = varIn(names, "sum", f32(0));
  const loop = forRange(names, "k", i32(0), end.use, () => [
    assign(end.use, i32(100)),
    assign(sum.use, add(sum.use, f32(1))),
  ]);
  const kernel = kernelOf([end.statement, sum.statement, loop, store(1, INVOCATION, sum.use)]);
  expect(run(kernel)[5]).toBe(3);
  // Where a name stands between, not the variable itself.
  expect(printWgsl(kernel)).toMatch(/v_k < t\d+;/);
});

test("an index that is known to be inside is not clamped, and one that is not is", () => {
  const at = invocationOf(64);
  const inside = printWgsl(kernelOf([store(1, at, load(0, build.subtract(i32(63), at), "f32"))]));
  expect(inside).not.toContain("clamp");
  const outside = printWgsl(kernelOf([store(1, at, load(0, add(at, i32(1)), "f32"))]));
  expect(outside).toContain("clamp((invocation + 1i), 0i, 63i)");
});

test("a shared expression that doubles at each level prints in linear size", () => {
  let x = load(0, INVOCATION, "f32");
  for (let i = 0; i < 60; i++) x = multiply(add(x, f32(0.5)), x);
  expect(printWgsl(kernelOf([store(1, INVOCATION, x)])).length).toBeLessThan(6000);
});

test("a chain of ten thousand operations prints without deep nesting, and computes", () => {
  let x = load(0, INVOCATION, "f32");
  for (let i = 0; i < 10_000; i++) x = add(x, f32(1));
  const kernel = kernelOf([store(1, INVOCATION, x)]);
  expect(run(kernel)[7]).toBe(10_007);
  expect(printWgsl(kernel)).not.toContain("(".repeat(40));
});

test("constants that WGSL cannot write are written round about", () => {
  const at = invocationOf(64);
  const values = [Infinity, -Infinity, NaN, -0, 1e-40, 3.4028234663852886e38, 0.1, 16777217, -5];
  const body = values.map((value, i) => store(1, i32(i), build.maximum(load(0, at, "f32"), f32(value))));
  const text = printWgsl(kernelOf(body));
  for (const part of ["0x7f800000u ^ zero", "0xff800000u ^ zero", "0x7fc00000u ^ zero", "(-0.0f)", "0.1f", "(-5.0f)"]) {
    expect(text).toContain(part);
  }
  const lowest = printWgsl(
    kernelOf(
      [store(1, build.minimum(load(0, at, "i32"), i32(-0x80000000)), f32(1))],
      [{ type: "i32", access: "read", length: 64 }, WRITE],
    ),
  );
  expect(lowest).not.toContain("2147483648i");
});

test("workgroups fold into a second row beyond 65,535", () => {
  const kernel = (invocations: number): Kernel => ({ name: "grid", bindings: [], invocations, body: [] });
  expect(workgroupsOf(kernel(1))).toEqual([1, 1]);
  expect(workgroupsOf(kernel(65_535 * 64))).toEqual([65_535, 1]);
  expect(workgroupsOf(kernel(65_535 * 64 + 1))).toEqual([32_768, 2]);
});

test("kernels that break the rules are refused, with their name", () => {
  const x = variable("f32", "x");
  const broken: Kernel[] = [
    kernelOf([store(1, INVOCATION, x)]),
    kernelOf([
      { kind: "let", name: "x", value: f32(1) },
      { kind: "var", name: "x", value: f32(2) },
    ]),
    kernelOf([
      { kind: "let", name: "x", value: f32(1) },
      { kind: "assign", name: "x", value: f32(2) },
    ]),
    kernelOf([{ kind: "let", name: "x y", value: f32(1) }]),
    kernelOf([{ kind: "let", name: "invocation", value: f32(1) }]),
    kernelOf([{ kind: "let", name: "x", value: i32(1) }, store(1, INVOCATION, x)]),
    kernelOf([store(0, INVOCATION, f32(1))]),
    kernelOf([store(2, INVOCATION, f32(1))]),
    kernelOf([store(1, INVOCATION, load(1, INVOCATION, "f32"))]),
    kernelOf([store(1, INVOCATION, load(0, INVOCATION, "i32"))]),
    kernelOf([store(1, INVOCATION, i32(1))]),
    kernelOf([when(build.less(x, f32(1)), [])]),
    kernelOf([], [{ ...READ, length: 0 }]),
    { ...kernelOf([]), invocations: 0 },
  ];
  for (const kernel of broken) {
    for (const print of [printWgsl, printJavaScript]) {
      expect(() => print(kernel)).toThrow(InvariantError);
      expect(() => print(kernel)).toThrow(/kernel test/);
    }
  }
});
