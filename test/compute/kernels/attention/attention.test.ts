/** Every schedule of every kernel of attention against loops in float64, on shapes that fit no tile. */
import { afterAll, expect, test } from "vitest";
import { Random } from "../../../../src/base/random.ts";
import {
  attention,
  attentionKeyValueGradient,
  attentionMaskGradient,
  attentionQueryGradient,
} from "../../../../src/compute/compiler/attention.ts";
import * as graph from "../../../../src/compute/compiler/graph.ts";
import type { Node, Shape } from "../../../../src/compute/compiler/ir.ts";
import { lowerAttention } from "../../../../src/compute/compiler/lower-attention.ts";
import type { Device } from "../../../../src/compute/device/device.ts";
import { ReferenceDevice } from "../../../../src/compute/device/reference/reference-device.ts";
import { attentionCandidates } from "../../../../src/compute/kernels/attention/candidates.ts";
import {
  attentionScheduleName,
  parseAttentionSchedule,
  type AttentionSchedule,
} from "../../../../src/compute/kernels/attention/schedule.ts";
import { flatten, Loops } from "../../../../src/compute/kernels/grid.ts";
import { i32, load, notEqual, u32 } from "../../../../src/compute/lang/build.ts";
import type { Kernel } from "../../../../src/compute/lang/kernel.ts";
import { store } from "../../../../src/compute/lang/statements.ts";
import { elementCount } from "../../../../src/compute/layout/shape.ts";
import { attentionInLoops } from "../../attention-loops.ts";
import { openNodeWebGpu, webGpuMissing } from "../../device/devices.ts";

const SEED = 57;

interface Case {
  readonly batch: number;
  readonly group: number;
  readonly queries: number;
  readonly keys: number;
  readonly depth: number;
  readonly width: number;
  readonly causal: boolean;
  readonly offset: number;
  readonly mask: "none" | "bool" | "float";
  readonly hasFactor: boolean;
}

const PLAIN: Case = { batch: 1, group: 1, queries: 1, keys: 1, depth: 1, width: 1, causal: false, offset: 0, mask: "none", hasFactor: false }; // prettier-ignore

const CASES: readonly Case[] = [
  PLAIN,
  { ...PLAIN, batch: 2, queries: 24, keys: 24, depth: 4, width: 4, causal: true },
  { ...PLAIN, batch: 2, group: 3, queries: 7, keys: 13, depth: 5, width: 9, mask: "bool" },
  { ...PLAIN, group: 2, queries: 35, keys: 21, depth: 3, width: 4, causal: true, offset: 2, mask: "float" },
  { ...PLAIN, queries: 9, keys: 70, depth: 10, width: 6, causal: true, offset: 61, hasFactor: true },
  { ...PLAIN, batch: 2, queries: 66, keys: 3, depth: 2, width: 17, mask: "float", hasFactor: true },
  // Some queries see no key.
  { ...PLAIN, queries: 20, keys: 20, depth: 4, width: 4, causal: true, offset: -5 },
];

/** Leaves with values, and the parts that are computed of them; earlier parts are leaves of later ones. */
function partsOf(c: Case): { parts: Node[]; values: Map<Node, Float64Array> } {
  const random = new Random(SEED, "attention");
  const values = new Map<Node, Float64Array>();
  const leaf = (shape: Shape, dtype: "float32" | "bool", value: () => number): Node => {
    const node = graph.buffer(shape, dtype);
    values.set(
      node,
      Float64Array.from({ length: elementCount(shape) }, () => Math.fround(value())),
    );
    return node;
  };
  const floats = (...shape: number[]): Node => leaf(shape, "float32", () => random.uniform() * 2 - 1);
  const coin = (): number => random.below(2);
  const { batch, group, queries, keys, depth, width } = c;
  const q = floats(batch, group, queries, depth);
  const [k, v, grad] = [floats(batch, keys, depth), floats(batch, keys, width), floats(batch, group, queries, width)];
  const mask = c.mask === "none" ? null : c.mask === "bool" ? leaf([1, group, queries, keys], "bool", coin) : floats(batch, 1, 1, keys); // prettier-ignore
  const factor = c.hasFactor ? leaf([batch, group, queries, keys], "float32", () => 2 * coin()) : null;
  const nodes = { q, k, v, mask, factor };
  const options = { scale: 0.7, causal: c.causal, offset: c.offset };
  const known = (node: Node): Node => leafLike(node, values);
  const forward = attention(nodes, options);
  const queryGradient = attentionQueryGradient(nodes, options, grad, known(forward));
  const third = known(queryGradient);
  const parts = [forward, queryGradient, attentionKeyValueGradient(nodes, options, grad, third)];
  if (c.mask === "float") parts.push(attentionMaskGradient(nodes, options, grad, third));
  return { parts, values };
}

function leafLike(node: Node, values: Map<Node, Float64Array>): Node {
  const leaf = graph.buffer(node.shape, node.dtype);
  values.set(leaf, Float64Array.from(expected(node, values), Math.fround));
  return leaf;
}

function expected(node: Node, values: ReadonlyMap<Node, Float64Array>): number[] {
  return attentionInLoops(node, (i, index) => {
    const input = node.inputs[i];
    const place = index.reduce((flat, at, axis) => flat * (input?.shape[axis] ?? 1) + at, 0);
    return (input && values.get(input)?.[place]) ?? Number.NaN;
  });
}

function kernelOf(part: Node, schedule: AttentionSchedule): Kernel {
  const grid = lowerAttention(
    part,
    (node) => (index) => {
      const shape = node?.shape ?? [];
      const within = index.map((at, axis) => (shape[axis] === 1 ? i32(0) : at));
      const binding = 1 + part.inputs.indexOf(node as Node);
      const at = flatten(within, shape);
      return node?.dtype === "bool" ? notEqual(load(binding, at, "u32"), u32(0)) : load(binding, at, "f32");
    },
    {
      schedule,
      sink: (index, value) => [store(0, flatten(index, part.shape), value)],
      loops: new Loops(),
    },
  );
  const bindings = [part, ...part.inputs].map(({ shape, dtype }, i) => {
    return { type: dtype === "bool" ? "u32" : "f32", access: i === 0 ? "write" : "read", length: elementCount(shape) } as const; // prettier-ignore
  });
  return { name: attentionScheduleName(schedule), bindings, ...grid };
}

async function run(device: Device, kernel: Kernel, inputs: readonly ArrayBufferView[]): Promise<Float32Array> {
  const output = device.createBuffer(4 * (kernel.bindings[0]?.length ?? 1));
  const buffers = inputs.map((data) => {
    const buffer = device.createBuffer(data.byteLength);
    device.write(buffer, new Uint8Array(data.buffer as ArrayBuffer));
    return buffer;
  });
  const made = await device.createKernel(kernel);
  device.submit(device.record([{ kind: "dispatch", kernel: made, buffers: [output, ...buffers] }]));
  const bytes = await device.read(output);
  for (const buffer of [output, ...buffers]) buffer.destroy();
  return new Float32Array(bytes.buffer);
}

async function check(device: Device, c: Case, schedule: AttentionSchedule): Promise<void> {
  const { parts, values } = partsOf(c);
  for (const part of parts) {
    const inputs = part.inputs.map((input) => {
      const data = values.get(input) ?? [];
      return input.dtype === "bool" ? Uint32Array.from(data) : Float32Array.from(data);
    });
    const found = await run(device, kernelOf(part, schedule), inputs);
    const want = expected(part, values);
    expect(found.length).toBe(want.length);
    // Sums of at most 198 rounded products, below 1 each, of weights that are right to some 20 roundings.
    const tolerance = 200 * 20 * 2 ** -24;
    for (const [i, x] of want.entries()) {
      const difference = Math.abs((found[i] ?? Number.NaN) - x);
      if (difference <= tolerance * Math.max(1, Math.abs(x))) continue;
      const where = part.primitive.kind === "attention" ? part.primitive.part : "";
      expect.fail(`${attentionScheduleName(schedule)}, ${where} of ${JSON.stringify(c)}: ${i}: expected ${x}, found ${found[i]}`); // prettier-ignore
    }
  }
}

const SCHEDULES: readonly AttentionSchedule[] = [
  "direct 8 x 1x1", "direct 8 x 2x4", "direct 64 x 1x3", "staged 8 x 2x3 of 9", "staged 16 x 1x4 of 8",
].map(parseAttentionSchedule); // prettier-ignore

function broadcasts(subgroupSize: number): AttentionSchedule[] {
  return ["1x16", "3x5"].map((tile) => parseAttentionSchedule(`broadcast ${subgroupSize} x ${tile}`));
}

test("every schedule computes attention of any shape, without races, on the reference device", async () => {
  const device = new ReferenceDevice({ subgroupSize: 4, checksRaces: true });
  for (const schedule of [...SCHEDULES, ...broadcasts(4)]) for (const c of CASES) await check(device, c, schedule);
  device.destroy();
}, 60_000); // prettier-ignore

const opened: Device[] = [];
afterAll(() => {
  for (const device of opened) device.destroy();
});

test.skipIf(webGpuMissing !== undefined)("every schedule computes attention on WebGPU", async () => {
  const device = await openNodeWebGpu();
  opened.push(device);
  const { subgroupSize } = device.info;
  const given = subgroupSize === null ? [] : broadcasts(subgroupSize).slice(0, 1);
  for (const schedule of [...given, ...SCHEDULES.slice(1, 4)]) await check(device, CASES[3] ?? PLAIN, schedule);
}, 60_000); // prettier-ignore

test("the name of a schedule says all of it", () => {
  for (const schedule of SCHEDULES) expect(parseAttentionSchedule(attentionScheduleName(schedule))).toEqual(schedule);
  expect(() => parseAttentionSchedule("direct 8")).toThrow(/expected a name such as/);
});

test("candidates fit the device and the shape, and the mask's kernel has none to choose from", () => {
  const kernel = { part: "forward", batch: 4, group: 1, queries: 512, keys: 512, depth: 64, width: 64, causal: true } as const; // prettier-ignore
  const traits = { isSoftware: true, hasSubgroups: true, subgroupSize: 8, limits: { workgroupBytesMax: 16_384, workgroupLanesMax: 256 } }; // prettier-ignore
  const names = (
    k: Parameters<typeof attentionCandidates>[0],
    t: Parameters<typeof attentionCandidates>[1],
  ): string[] => attentionCandidates(k, t).map(attentionScheduleName);
  expect(names(kernel, traits)[0]).toBe("broadcast 8 x 4x16");
  expect(names({ ...kernel, queries: 64, keys: 64, depth: 16, width: 16 }, traits)[0]).toBe("broadcast 8 x 2x16");
  expect(names(kernel, { ...traits, subgroupSize: 32 })[0]).toBe("direct 8 x 4x8");
  expect(names({ ...kernel, queries: 3, keys: 5 }, { ...traits, hasSubgroups: false })).toEqual(["direct 8 x 1x4", "direct 8 x 1x8"]); // prettier-ignore
  const hardware = { ...traits, isSoftware: false };
  expect(names(kernel, hardware)[0]).toBe("staged 64 x 1x8 of 32");
  expect(names({ ...kernel, part: "gradKeyValue" }, hardware)[0]).toBe("staged 64 x 1x8 of 24");
  expect(names({ ...kernel, depth: 1000, width: 1000 }, hardware)).toEqual(["direct 64 x 1x4"]);
  expect(names({ ...kernel, part: "gradMask" }, traits)).toHaveLength(1);
});
