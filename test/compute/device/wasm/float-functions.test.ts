/** How far the functions are from those in doubles, in units of the last place, over all kinds of arguments. */
import { expect, test } from "vitest";
import { openWasmDevice } from "../../../../src/compute/device/wasm/open-wasm-device.ts";
import { load, unary } from "../../../../src/compute/lang/build.ts";
import { invocationOf } from "../../../../src/compute/lang/expr.ts";
import type { Kernel, UnaryOp } from "../../../../src/compute/lang/kernel.ts";
import { erf } from "../../../../src/compute/lang/scalar-functions.ts";
import { store } from "../../../../src/compute/lang/statements.ts";
import { runOn } from "../../lang/check-kernels.ts";

const COUNT = 2 ** 17;
const NORMAL_MIN = 2 ** -126;

interface Case {
  readonly op: UnaryOp;
  readonly exact: (x: number) => number;
  /** Arguments lie between. */
  readonly from: number;
  readonly to: number;
  /** Units of the last place. */
  readonly most: number;
  /** What is smaller is compared as if it were so large: a sine next to a multiple of pi. */
  readonly least: number;
}

const CASES: readonly Case[] = [
  { op: "exp", exact: Math.exp, from: -110, to: 100, most: 2, least: NORMAL_MIN },
  { op: "log", exact: Math.log, from: 0, to: 1000, most: 2, least: NORMAL_MIN },
  { op: "tanh", exact: Math.tanh, from: -12, to: 12, most: 7, least: NORMAL_MIN },
  { op: "erf", exact: erf, from: -5, to: 5, most: 3, least: NORMAL_MIN },
  { op: "sin", exact: Math.sin, from: -1e5, to: 1e5, most: 2, least: NORMAL_MIN },
  { op: "cos", exact: Math.cos, from: -1e5, to: 1e5, most: 2, least: NORMAL_MIN },
];

const SPECIAL = [0, -0, 1, -1, Infinity, -Infinity, NaN, NORMAL_MIN, 1e-40, 3e38, -3e38, 88.72283, 88.72284, 88.723, -87.33654, -87.34, -104]; // prettier-ignore

test.each(CASES)("$op is within $most units of the last place, from $from to $to and at the ends", async (each) => {
  const { op, exact, from, to, most, least } = each;
  const device = await openWasmDevice();
  const x = argumentsOf(from, to);
  const kernel: Kernel = {
    name: op,
    bindings: [
      { type: "f32", access: "read", length: x.length },
      { type: "f32", access: "write", length: x.length },
    ],
    invocations: x.length,
    body: [store(1, invocationOf(x.length), unary(op, load(0, invocationOf(x.length), "f32")))],
  };
  const [, found] = await runOn(device, kernel, [x, new Float32Array(x.length)]);
  let worst = { distance: 0, at: 0, found: 0 };
  for (const [i, at] of x.entries()) {
    if ((op === "sin" || op === "cos") && Math.abs(at) > 1e5) continue;
    const value = Number(found?.[i]);
    const distance = distanceOf(value, exact(at), least);
    if (distance > worst.distance) worst = { distance, at, found: value };
  }
  expect(worst.distance, `${op}(${worst.at}) = ${worst.found}`).toBeLessThanOrEqual(most);
  device.destroy();
});

test("a NaN of any bits stays NaN", async () => {
  const device = await openWasmDevice();
  const bits = Uint32Array.from([0x7fc00000, 0x7fc00001, 0xffc001ff, 0x7f800001, 0xffffffff, 0x7fffffff, 0x7fc00100, 0x7fc00080]); // prettier-ignore
  const x = new Float32Array(bits.buffer);
  for (const { op } of CASES) {
    const at = invocationOf(x.length);
    const bindings = (["read", "write"] as const).map((access) => ({ type: "f32" as const, access, length: x.length }));
    const body = [store(1, at, unary(op, load(0, at, "f32")))];
    const [, found] = await runOn(device, { name: op, bindings, invocations: x.length, body }, [x, new Float32Array(x.length)]); // prettier-ignore
    expect([...(found ?? [])], op).toEqual([...x]);
  }
  device.destroy();
});

/** Evenly, near 0 by powers, and the special ones. */
function argumentsOf(from: number, to: number): Float32Array {
  const even = Array.from({ length: COUNT }, (_, i) => from + ((i + 0.37) / COUNT) * (to - from));
  const small = Array.from({ length: COUNT }, (_, i) => 2 ** (-126 * (1 - i / COUNT)) * Math.min(to, 8));
  const all = [...even, ...small, ...(from < 0 ? small.map((x) => -x) : []), ...SPECIAL];
  return Float32Array.from(all.slice(0, all.length - (all.length % 4)));
}

function distanceOf(found: number, exact: number, least: number): number {
  if (Object.is(found, exact) || (Number.isNaN(found) && Number.isNaN(exact))) return 0;
  const rounded = Math.fround(exact);
  if (!Number.isFinite(rounded)) return found === rounded ? 0 : Infinity;
  // Subnormal results may be zeros.
  if (found === 0 && Math.abs(rounded) < NORMAL_MIN) return 0;
  const size = Math.max(Math.abs(rounded), least);
  return Math.abs(found - exact) / 2 ** (Math.floor(Math.log2(size)) - 23);
}
