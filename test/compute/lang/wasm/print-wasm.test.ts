/** What printed modules are, beyond what they compute: `oracle.test.ts` and the suites of tensors hold that. */
import { expect, test } from "vitest";
import { Random } from "../../../../src/base/random.ts";
import * as build from "../../../../src/compute/lang/build.ts";
import { invocationOf } from "../../../../src/compute/lang/expr.ts";
import type { Binding, Expr, Kernel, Statement } from "../../../../src/compute/lang/kernel.ts";
import { numberKernel } from "../../../../src/compute/lang/numbering.ts";
import { store } from "../../../../src/compute/lang/statements.ts";
import { LaneForms } from "../../../../src/compute/lang/wasm/lane-forms.ts";
import { printWasm } from "../../../../src/compute/lang/wasm/print-wasm.ts";
import { randomKernel } from "../random-kernel.ts";
import { randomWorkgroupKernel } from "../random-workgroup-kernel.ts";

const { add, divide, i32, load, multiply, remainder } = build;
const WHOLE = { width: 4, isRagged: false, isGrouped: false } as const;

function kernelOf(body: readonly Statement[], length: number): Kernel {
  const bindings: Binding[] = [
    { type: "f32", access: "write", length },
    { type: "f32", access: "read", length },
  ];
  return { name: "test", bindings, invocations: length, body };
}

/** How the index of the only load goes from lane to lane. */
function strideOf(length: number, index: (invocation: Expr) => Expr): number | null | undefined {
  const at = invocationOf(length);
  const kernel = kernelOf([store(0, at, load(1, index(at), "f32"))], length);
  const numbered = numberKernel(kernel);
  const forms = new LaneForms(kernel, numbered, WHOLE);
  const loaded = numbered.values.find(({ expr }) => expr.kind === "load");
  const place = loaded?.operands[0];
  return place === undefined ? undefined : forms.of(place).stride;
}

test("neighbouring invocations are seen to load neighbours, the same, or elements of equal distance", () => {
  expect(strideOf(64, (at) => at)).toBe(1);
  expect(strideOf(64, (at) => divide(at, i32(16)))).toBe(0);
  expect(strideOf(64, (at) => remainder(at, i32(16)))).toBe(1);
  expect(strideOf(64, (at) => divide(multiply(at, i32(3)), i32(4)))).toBe(null);
  expect(strideOf(64, (at) => add(multiply(remainder(at, i32(8)), i32(8)), divide(at, i32(8))))).toBe(8);
});

test("rows that do not end where vectors end are not taken for ones that do", () => {
  expect(strideOf(60, (at) => divide(at, i32(6)))).toBe(null);
  expect(strideOf(60, (at) => remainder(at, i32(6)))).toBe(null);
});

test("modules of random kernels are valid, and the same whenever they are printed", () => {
  for (let seed = 1; seed <= 10; seed++) {
    for (const make of [randomKernel, (random: Random) => randomWorkgroupKernel(random, true)]) {
      const print = (sharedPagesMax: number | undefined): Uint8Array<ArrayBuffer> =>
        printWasm(make(new Random(seed, "print")), { hasMultiplyAdd: false, sharedPagesMax }).bytes;
      expect(WebAssembly.validate(print(undefined)), `seed ${seed}`).toBe(true);
      expect(WebAssembly.validate(print(1024)), `seed ${seed}`).toBe(true);
      expect(print(1024)).toEqual(print(1024));
    }
  }
});
