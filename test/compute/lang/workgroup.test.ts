import { expect, test } from "vitest";
import { InvariantError, UnsupportedError } from "../../../src/base/errors.ts";
import type { Device } from "../../../src/compute/device/device.ts";
import { NullDevice } from "../../../src/compute/device/null/null-device.ts";
import * as build from "../../../src/compute/lang/build.ts";
import { laneOf, variable, workgroupOf } from "../../../src/compute/lang/expr.ts";
import {
  INVOCATION,
  LANE,
  SUBGROUP_LANE,
  SUBGROUP_SIZE,
  WORKGROUP,
  type Expr,
  type Kernel,
  type Statement,
  type Workgroup,
} from "../../../src/compute/lang/kernel.ts";
import { compileJavaScript, printJavaScript } from "../../../src/compute/lang/print-javascript.ts";
import { printWgsl } from "../../../src/compute/lang/print-wgsl.ts";
import {
  arrayIn,
  assign,
  BARRIER,
  forRange,
  Names,
  broadcastIn,
  shuffleXorIn,
  store,
  storeShared,
  subgroupIn,
  varIn,
  when,
} from "../../../src/compute/lang/statements.ts";
import { kernelKey } from "../../../src/compute/lang/kernel-key.ts";

const { add, equal, f32, i32, less, load, loadShared, multiply, remainder } = build;
const LANES = 8;
const SHARED: Workgroup = { lanes: LANES, shared: [{ type: "i32", length: LANES }] };

/** Over input and output of 32 integers, in 4 workgroups. */
function kernelOf(body: readonly Statement[], workgroup: Workgroup = SHARED): Kernel {
  return {
    name: "test",
    bindings: [
      { type: "i32", access: "read", length: 32 },
      { type: "i32", access: "readWrite", length: 32 },
    ],
    invocations: 32,
    workgroup,
    body,
  };
}

/** The output on JavaScript for input[i] = i. */
function run(kernel: Kernel, subgroupSize: number = 4, checksRaces: boolean = true): number[] {
  const output = new Int32Array(32);
  const input = Int32Array.from({ length: 32 }, (_, i) => i);
  compileJavaScript(printJavaScript(kernel, { checksRaces }))([input, output], 0, kernel.invocations, subgroupSize);
  return [...output];
}

/** Whether both targets refuse `kernel` with such words. */
function refused(kernel: Kernel, words: RegExp): void {
  for (const print of [printWgsl, (it: Kernel) => printJavaScript(it)]) {
    expect(() => print(kernel)).toThrow(InvariantError);
    expect(() => print(kernel)).toThrow(words);
  }
}

const lane = laneOf(LANES);
const opposite = build.subtract(i32(LANES - 1), lane);

test("lanes see after a barrier what others stored before it", () => {
  const body = [
    storeShared(0, lane, load(0, INVOCATION, "i32")),
    BARRIER,
    store(1, INVOCATION, loadShared(0, opposite, "i32")),
  ];
  expect(run(kernelOf(body))).toEqual(Array.from({ length: 32 }, (_, i) => (i >> 3) * 8 + 7 - (i & 7)));
});

test("barriers order what a binding that is read and written holds", () => {
  const own = multiply(workgroupOf(4), i32(LANES));
  const body = [store(1, INVOCATION, INVOCATION), BARRIER, store(0, INVOCATION, load(1, add(own, opposite), "i32"))];
  const kernel: Kernel = {
    ...kernelOf(body),
    bindings: [
      { type: "i32", access: "write", length: 32 },
      { type: "i32", access: "readWrite", length: 32 },
    ],
  };
  expect(printWgsl(kernel)).toContain("storageBarrier();");
  const arrays = [new Int32Array(32), new Int32Array(32)];
  compileJavaScript(printJavaScript(kernel, { checksRaces: true }))(arrays, 0, 32);
  expect([...(arrays[0] ?? [])].slice(8, 16)).toEqual([15, 14, 13, 12, 11, 10, 9, 8]);
});

test("shared arrays are zero in each workgroup, private ones in each invocation and where they are declared", () => {
  const names = new Names();
  const tile = arrayIn(names, "tile", "i32", 2);
  const sum = varIn(names, "sum", i32(0));
  const loop = forRange(names, "k", i32(0), i32(3), (k) => [
    tile.statement,
    assign(sum.use, add(sum.use, tile.load(0))),
    tile.store(remainder(k, i32(2)), i32(5)),
  ]);
  const mark = storeShared(0, i32(0), add(loadShared(0, i32(0), "i32"), i32(1)));
  for (const barrier of [[], [BARRIER]]) {
    const first = when(equal(lane, i32(0)), [mark, assign(sum.use, add(sum.use, loadShared(0, i32(0), "i32")))]);
    const body = [sum.statement, loop, ...barrier, first, store(1, INVOCATION, sum.use)];
    expect(run(kernelOf(body))).toEqual(Array.from({ length: 32 }, (_, i) => (i % LANES === 0 ? 1 : 0)));
  }
});

test("a value loaded before a barrier is not loaded again after it, and one after it not before", () => {
  const names = new Names();
  const value = loadShared(0, opposite, "i32");
  const sum = varIn(names, "sum", value);
  const body = [
    sum.statement,
    BARRIER,
    storeShared(0, lane, i32(3)),
    BARRIER,
    assign(sum.use, add(multiply(sum.use, i32(100)), value)),
    store(1, INVOCATION, sum.use),
  ];
  expect(new Set(run(kernelOf(body)))).toEqual(new Set([3]));
});

test("subgroups of any size add, compare, multiply, broadcast and shuffle; the last of a workgroup may be smaller", () => {
  const names = new Names();
  const total = subgroupIn(names, "total", "add", lane);
  const most = subgroupIn(names, "most", "maximum", lane);
  const first = subgroupIn(names, "first", "broadcastFirst", lane);
  const other = shuffleXorIn(names, "other", lane, 1);
  const second = broadcastIn(names, "second", lane, 1);
  const all = [total, most, first, other].map(({ use }) => use);
  const sum = all.reduce((a, b) => add(multiply(a, i32(100)), b));
  const body = [total, most, first, other].map(({ statement }) => statement);
  const kernel = kernelOf([...body, store(1, INVOCATION, sum)]);
  const expected = (size: number): number[] =>
    Array.from({ length: 32 }, (_, i) => {
      const [own, end] = [i % LANES, Math.min(LANES, (Math.floor((i % LANES) / size) + 1) * size)];
      const start = Math.floor(own / size) * size;
      const sumOfLanes = ((start + end - 1) * (end - start)) / 2;
      return ((sumOfLanes * 100 + end - 1) * 100 + start) * 100 + (own ^ 1);
    });
  for (const size of [2, 4, 8, 32, 64]) expect(run(kernel, size)).toEqual(expected(size));
  const seconds = run(kernelOf([second.statement, store(1, INVOCATION, second.use)]), 4);
  expect(seconds.slice(0, 9)).toEqual([1, 1, 1, 1, 5, 5, 5, 5, 1]);
  const sizes = kernelOf([store(1, INVOCATION, add(multiply(SUBGROUP_SIZE, i32(10)), SUBGROUP_LANE))]);
  expect(run(sizes, 4).slice(0, 6)).toEqual([40, 41, 42, 43, 40, 41]);
  const odd = kernelOf([total.statement, store(1, INVOCATION, total.use)], { lanes: 16, shared: [] });
  expect(run({ ...odd, workgroup: { lanes: 4, shared: [] } }, 64).slice(0, 4)).toEqual([6, 6, 6, 6]);
});

test("kernels without workgroups know their workgroup of 64 and their lane too", () => {
  const place = add(multiply(WORKGROUP, i32(1000)), LANE);
  const kernel: Kernel = {
    name: "grid",
    bindings: [{ type: "i32", access: "write", length: 100 }],
    invocations: 100,
    body: [store(0, INVOCATION, place)],
  };
  const output = new Int32Array(100);
  compileJavaScript(printJavaScript(kernel))([output], 0, 100);
  expect([output[63], output[64], output[99]]).toEqual([63, 1000, 1035]);
  expect(printWgsl(kernel)).toContain("let lane = bitcast<i32>(local);");
});

test("a barrier that some lanes may miss is refused, and the condition named", () => {
  const names = new Names();
  const under = (condition: Expr): Kernel => kernelOf([when(condition, [BARRIER])]);
  refused(under(less(LANE, i32(3))), /kernel test: .* found it under if lane < 3$/);
  refused(under(less(load(0, INVOCATION, "i32"), i32(3))), /under if b0\[invocation\] < 3/);
  refused(under(less(load(1, i32(0), "i32"), i32(3))), /under if b1\[0\] < 3/);
  refused(under(less(loadShared(0, i32(0), "i32"), i32(3))), /under if shared0\[0\] < 3/);
  const loop = (to: Expr): Statement => forRange(names, "k", i32(0), to, () => [when(less(i32(0), to), [BARRIER])]);
  refused(kernelOf([loop(add(lane, i32(1)))]), /under for k from 0 to lane \+ 1/);
  const total = subgroupIn(names, "total", "add", lane);
  refused(kernelOf([when(less(LANE, i32(3)), [total.statement])]), /a subgroup add where all lanes come by/);
  refused(kernelOf([total.statement, when(less(total.use, i32(3)), [BARRIER])]), /under if total < 3/);
  const variableEnd = varIn(names, "end", i32(3));
  refused(kernelOf([variableEnd.statement, loop(variableEnd.use)]), /under for k_1 from 0 to end/);
});

test("a barrier under what all lanes see alike is accepted", () => {
  const names = new Names();
  const loop = forRange(names, "k", i32(0), remainder(WORKGROUP, i32(3)), (k) => [
    when(less(load(0, add(k, WORKGROUP), "i32"), SUBGROUP_SIZE), [BARRIER]),
    when(less(LANE, k), [store(1, INVOCATION, k)]),
  ]);
  expect(() => printWgsl(kernelOf([loop]))).not.toThrow();
  expect(run(kernelOf([loop])).slice(16, 24)).toEqual([1, 0, 0, 0, 0, 0, 0, 0]);
});

test("lanes that race for an element are found, with array, element and lanes", () => {
  const races = (body: readonly Statement[]) => () => run(kernelOf(body));
  const missing = [storeShared(0, lane, lane), store(1, INVOCATION, loadShared(0, opposite, "i32"))];
  const words = /shared array 0\[4\] to be one lane's until a barrier, found it used by lane 3 and stored by lane 4/;
  expect(races(missing)).toThrow(words);
  expect(races([...missing, BARRIER])).toThrow(words);
  const same = [storeShared(0, i32(2), i32(1)), BARRIER];
  expect(races(same)).toThrow(/shared array 0\[2\] .* used by lane 0 and stored by lane 1/);
  const many = [store(1, INVOCATION, loadShared(0, i32(0), "i32")), when(equal(lane, i32(5)), [same[0] ?? BARRIER])];
  expect(races(many)).not.toThrow();
  const across = [store(1, lane, i32(1)), BARRIER];
  expect(races(across)).toThrow(/binding 1\[0\] .* used by workgroup 0 and stored by workgroup 1/);
  // Unwatched, nobody sees it.
  expect(() => run(kernelOf(missing), 4, false)).not.toThrow();
});

test("kernels that break the rules of workgroups are refused", () => {
  const names = new Names();
  const total = subgroupIn(names, "total", "add", lane);
  const { workgroup: _, ...plain } = kernelOf([BARRIER]);
  refused(plain, /a workgroup in a kernel with a barrier, found none/);
  refused({ ...plain, body: [total.statement] }, /a workgroup in a kernel with a subgroup add/);
  refused({ ...plain, body: [store(1, INVOCATION, SUBGROUP_SIZE)] }, /a workgroup in a kernel that uses subgroupSize/);
  refused({ ...kernelOf([]), invocations: 30 }, /a multiple of 8 invocations, found 30/);
  refused(kernelOf([], { lanes: 0, shared: [] }), /at least 1 lane/);
  refused(kernelOf([], { lanes: 8, shared: [{ type: "f32", length: 0 }] }), /a length of at least 1/);
  refused(kernelOf([storeShared(1, lane, lane)]), /a shared array below 1, found 1/);
  refused(kernelOf([storeShared(0, lane, f32(1))]), /a stored i32, found f32/);
  refused(kernelOf([store(1, lane, build.loadPrivate("tile", lane, "i32"))]), /a private array that is declared/);
  refused(
    kernelOf([arrayIn(names, "tile", "f32", 3).statement, store(1, lane, variable("i32", "tile"))]),
    /a variable/,
  );
  refused(kernelOf([shuffleXorIn(names, "other", lane, 0).statement]), /a mask of 1 to 127, found 0/);
  refused(kernelOf([broadcastIn(names, "other", lane, 128).statement]), /a lane of 0 to 127, found 128/);
  for (const name of ["lane", "workgroup", "subgroupSize"]) expect(() => names.fresh(name)).toThrow(/not taken/);
});

test("what a device cannot do is refused before it is compiled", async () => {
  class WithoutSubgroups extends NullDevice {
    override readonly info = { ...new NullDevice().info, hasSubgroups: false };
  }
  const [device, without] = [new NullDevice(), new WithoutSubgroups()];
  const make = (kernel: Kernel, on: Device = device): Promise<unknown> => on.createKernel(kernel);
  const wide = { ...kernelOf([]), invocations: 512 };
  await expect(make({ ...wide, workgroup: { lanes: 512, shared: [] } })).rejects.toThrow(/at most 256 lanes/);
  const shared = [{ type: "f32", length: 4097 }] as const;
  await expect(make({ ...wide, workgroup: { lanes: 64, shared } })).rejects.toThrow(UnsupportedError);
  const names = new Names();
  const total = subgroupIn(names, "total", "add", lane);
  await expect(make(kernelOf([total.statement]), without)).rejects.toThrow(/a device with subgroups, found null/);
  await expect(make(kernelOf([store(1, lane, SUBGROUP_LANE)]), without)).rejects.toThrow(UnsupportedError);
  await expect(make(kernelOf([BARRIER]), without)).resolves.toBeDefined();
});

test("kernels that differ in their workgroup have keys of their own", () => {
  const names = new Names();
  const total = subgroupIn(names, "total", "add", lane);
  const tile = arrayIn(names, "tile", "i32", 2);
  const { workgroup: _, ...plain } = kernelOf([]);
  const kernels: Kernel[] = [
    plain,
    kernelOf([]),
    kernelOf([], { lanes: 16, shared: SHARED.shared }),
    kernelOf([], { lanes: 8, shared: [{ type: "f32", length: LANES }] }),
    kernelOf([BARRIER]),
    kernelOf([storeShared(0, lane, lane)]),
    kernelOf([store(1, lane, lane)]),
    kernelOf([tile.statement, tile.store(0, lane)]),
    kernelOf([tile.statement, store(1, lane, tile.load(0))]),
    kernelOf([total.statement]),
    kernelOf([subgroupIn(new Names(), "total", "product", lane).statement]),
    kernelOf([shuffleXorIn(new Names(), "total", lane, 1).statement]),
    kernelOf([shuffleXorIn(new Names(), "total", lane, 2).statement]),
  ];
  expect(new Set(kernels.map(kernelKey)).size).toBe(kernels.length);
});
