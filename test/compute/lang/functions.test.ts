/** The functions that the printers write out, or take from the platform, against JavaScript's doubles. */
import { describe, expect, test } from "vitest";
import type { Device } from "../../../src/compute/device/device.ts";
import { ReferenceDevice } from "../../../src/compute/device/reference/reference-device.ts";
import * as build from "../../../src/compute/lang/build.ts";
import { invocationOf } from "../../../src/compute/lang/expr.ts";
import type { Expr, Kernel, UnaryOp } from "../../../src/compute/lang/kernel.ts";
import { store } from "../../../src/compute/lang/statements.ts";
import { openNodeWebGpu, openWasm, webGpuMissing } from "../device/devices.ts";

const COUNT = 2048;

/** What operators are held to: PyTorch's values within these. Ours stay well below. */
const RELATIVE = 2e-5;
const ABSOLUTE = 2e-6;

interface Case {
  readonly op: UnaryOp;
  readonly from: number;
  readonly to: number;
  readonly exact: (x: number) => number;
}

const CASES: readonly Case[] = [
  { op: "exp", from: -80, to: 80, exact: Math.exp },
  { op: "log", from: 1e-6, to: 20, exact: Math.log },
  { op: "sqrt", from: 0, to: 1000, exact: Math.sqrt },
  { op: "sin", from: -100, to: 100, exact: Math.sin },
  { op: "sin", from: -12_000, to: 12_000, exact: Math.sin },
  { op: "cos", from: -100, to: 100, exact: Math.cos },
  { op: "cos", from: -12_000, to: 12_000, exact: Math.cos },
  { op: "tanh", from: -1, to: 1, exact: Math.tanh },
  { op: "tanh", from: -200, to: 200, exact: Math.tanh },
  { op: "erf", from: -5, to: 5, exact: erfBySeries },
  { op: "erf", from: -1e-3, to: 1e-3, exact: erfBySeries },
];

/** 2 / sqrt(pi) * exp(-x^2) * sum of 2^n x^(2n+1) / (2n+1)!!: all terms positive, so exact to a few roundings. */
function erfBySeries(x: number): number {
  let sum = 0;
  let term = x;
  for (let n = 0; n < 200; n++) {
    sum += term;
    term *= (2 * x * x) / (2 * n + 3);
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** f over COUNT numbers. */
async function evaluate(
  device: Device,
  inputs: Float32Array<ArrayBuffer>,
  f: (x: Expr) => Expr,
): Promise<Float32Array> {
  const at = invocationOf(inputs.length);
  const kernel: Kernel = {
    name: "function",
    bindings: [
      { type: "f32", access: "read", length: inputs.length },
      { type: "f32", access: "write", length: inputs.length },
    ],
    invocations: inputs.length,
    body: [store(1, at, f(build.load(0, at, "f32")))],
  };
  const [input, output] = [device.createBuffer(inputs.byteLength), device.createBuffer(inputs.byteLength)];
  device.write(input, new Uint8Array(inputs.buffer));
  const made = await device.createKernel(kernel);
  device.submit(device.record([{ kind: "dispatch", kernel: made, buffers: [input, output] }]));
  return new Float32Array((await device.read(output)).buffer);
}

function inputsOf(from: number, to: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: COUNT }, (_, i) => from + ((to - from) * i) / (COUNT - 1));
}

const DEVICES = [
  { name: "reference", open: async (): Promise<Device> => new ReferenceDevice(), missing: undefined },
  { name: "wasm", open: openWasm, missing: undefined },
  { name: "webgpu", open: openNodeWebGpu, missing: webGpuMissing },
];

for (const { name, open, missing } of DEVICES) {
  const note = missing === undefined ? "" : ` (skipped: ${missing})`;
  describe.skipIf(missing !== undefined)(`${name}${note}`, () => {
    test.each(CASES)("$op on [$from, $to] is good to 2e-5", async ({ op, from, to, exact }) => {
      const device = await open();
      const inputs = inputsOf(from, to);
      const found = await evaluate(device, inputs, (x) => build.unary(op, x));
      device.destroy();
      let worst = 0;
      for (const [i, x] of inputs.entries()) {
        const want = exact(x);
        worst = Math.max(worst, Math.abs((found[i] as number) - want) / (ABSOLUTE + RELATIVE * Math.abs(want)));
      }
      expect(worst).toBeLessThan(1);
    });

    test("round takes halves to even, trunc toward zero, and sign knows zero", async () => {
      const device = await open();
      const inputs = Float32Array.of(-2.5, -1.5, -0.5, 0, 0.5, 1.5, 2.5, 2.4999998, 8388609);
      const round = await evaluate(device, inputs, (x) => build.unary("round", x));
      expect([...round].map((x) => x + 0)).toEqual([-2, -2, 0, 0, 0, 2, 2, 2, 8388609]);
      const trunc = await evaluate(device, inputs, (x) => build.unary("trunc", x));
      expect([...trunc].map((x) => x + 0)).toEqual([-2, -1, 0, 0, 0, 1, 2, 2, 8388609]);
      const sign = await evaluate(device, inputs, (x) => build.unary("sign", x));
      expect([...sign].map((x) => x + 0)).toEqual([-1, -1, -1, 0, 1, 1, 1, 1, 1]);
      device.destroy();
    });

    test("power of a negative base has PyTorch's sign for whole exponents", async () => {
      const device = await open();
      const inputs = Float32Array.of(-2, -1, 0, 1, 3);
      // Exponents that no simplification sees.
      const powers = async (exponent: number): Promise<number[]> => {
        const found = await evaluate(device, inputs, (x) =>
          build.power(x, build.add(build.subtract(x, x), build.f32(exponent))),
        );
        return [...found].map((x) => Number(x.toPrecision(5)) + 0);
      };
      expect(await powers(5)).toEqual([-32, -1, 0, 1, 243]);
      expect(await powers(4)).toEqual([16, 1, 0, 1, 81]);
      expect(await powers(-3)).toEqual([-0.125, -1, Infinity, 1, 0.037037]);
      expect(await powers(0)).toEqual([1, 1, 1, 1, 1]);
      device.destroy();
    });

    test("remainder has the sign of the dividend and stays below the divisor", async () => {
      const device = await open();
      const inputs = Float32Array.of(-7.5, -6, -0.25, 0, 0.25, 5.999999, 6, 7.5, 300.75);
      const found = await evaluate(device, inputs, (x) => build.remainder(x, build.f32(3)));
      const expected = [...inputs].map((x) => x % 3);
      for (const [i, want] of expected.entries()) expect(found[i]).toBeCloseTo(want, 5);
      device.destroy();
    });

    test("infinities are constants, sums beyond the range are infinite, and casts saturate", async () => {
      const device = await open();
      const inputs = Float32Array.of(1, 3e38, -3e38);
      const found = await evaluate(device, inputs, (x) => build.add(x, x));
      expect([...found]).toEqual([2, Infinity, -Infinity]);
      const least = await evaluate(device, inputs, (x) => build.minimum(x, build.f32(-Infinity)));
      expect([...least]).toEqual([-Infinity, -Infinity, -Infinity]);
      const whole = await evaluate(device, inputs, (x) => build.cast("f32", build.cast("i32", x)));
      expect([...whole]).toEqual([1, 2147483520, -2147483648]);
      device.destroy();
    });
  });
}
