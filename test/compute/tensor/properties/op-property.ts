/**
 * Property tests of ops: values drawn by fast-check, in random shapes and through views that are not contiguous,
 * against plain float64 loops, finite differences (twice), and devices against the oracle.
 *
 * Derivatives are directional: with h = 1e-4 a central difference of float64 values is off by about 1e-8, constants in
 * formulas are rounded to float32 and polynomials fit to some 1e-7: 2e-6 of the size of the terms is above what is
 * right and far below what a wrong formula gives. Devices compute in float32 with sums in another order.
 */
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { present } from "../../../../src/base/assert.ts";
import { Random } from "../../../../src/base/random.ts";
import type { Shape } from "../../../../src/compute/compiler/ir.ts";
import type { Device } from "../../../../src/compute/device/device.ts";
import { ReferenceDevice } from "../../../../src/compute/device/reference/reference-device.ts";
import { type DType, isFloat } from "../../../../src/compute/layout/dtype.ts";
import { createRuntime } from "../../../../src/compute/runtime/graph-runtime.ts";
import type { HostArray, Runtime } from "../../../../src/compute/runtime/runtime.ts";
import { grad } from "../../../../src/compute/tensor/autograd.ts";
import { tensor } from "../../../../src/compute/tensor/create.ts";
import { setDefaultRuntime, withRuntime } from "../../../../src/compute/tensor/runtime-scope.ts";
import { Tensor } from "../../../../src/compute/tensor/tensor.ts";
import { openNodeWebGpu, openWasm, webGpuMissing } from "../../device/devices.ts";
import { InterpreterRuntime } from "../interpreter-runtime.ts";
import { type NdArray, ndArray } from "./nd-array.ts";

/** One argument of an op. */
export interface PropertyInput {
  readonly shape: Shape;
  readonly data: readonly number[];
  /** float32 by default. */
  readonly dtype?: DType;
  /** Whether a gradient flows to it: to floats, unless false. */
  readonly hasGradient?: boolean;
}

/** One drawn case. */
export interface OpDraw {
  readonly inputs: readonly PropertyInput[];
  /** Our op, with the drawn options. It must give the same for the same inputs. */
  apply(inputs: readonly Tensor[]): Tensor;
  /** The same in plain float64 loops. */
  expected(arrays: readonly NdArray[]): NdArray;
}

export interface OpProperty {
  readonly name: string;
  readonly draws: fc.Arbitrary<OpDraw>;
  /** How many derivatives are checked: 2 unless it says less. */
  readonly derivatives?: 0 | 1 | 2;
  /** Of values on devices, relative to the largest (at least 1): 2e-5 unless it says otherwise, and why. */
  readonly tolerance?: number;
}

export interface PropertyOptions {
  /** Draws on the interpreter and the reference device: 15. */
  readonly runs?: number;
  /** Draws on WebGPU, where every kernel has to be compiled: 2. */
  readonly webGpuRuns?: number;
}

const SEED = 20_260;
const STEP = 1e-4;
const DERIVATIVE_TOLERANCE = 2e-6;
const EXACT_TOLERANCE = 2e-6;
const DEVICE_TOLERANCE = 2e-5;

/** Tests each property on the interpreter, the reference device, WebAssembly and, where there is one, WebGPU in Node. */
export function testProperties(properties: readonly OpProperty[], options: PropertyOptions = {}): void {
  const { runs = 15, webGpuRuns = 2 } = options;
  const names = properties.map(({ name }) => name);
  test("every property has a name of its own", () => expect(new Set(names).size).toBe(names.length));
  for (const property of properties) {
    test(`${property.name} is what plain loops give, and so are its derivatives, on ${runs} draws`, async () => {
      const reference = createRuntime(new ReferenceDevice());
      await check(property, runs, async (draw, view) => {
        const expected = checkOnInterpreter(property, draw, view);
        await checkOnDevice(property, draw, view, { runtime: reference, expected });
      });
      reference.destroy();
    }, 60_000);
  }
  testOnDevice("WebAssembly", properties, webGpuRuns, openWasm);
  testOnDevice("WebGPU", properties, webGpuRuns, openNodeWebGpu, webGpuMissing);
}

function testOnDevice(
  name: string,
  properties: readonly OpProperty[],
  runs: number,
  open: () => Promise<Device>,
  missing?: string,
): void {
  let device: Promise<Device> | undefined;
  afterAll(async () => (await device)?.destroy());
  const title = missing === undefined ? "" : ` (${missing})`;
  test.skipIf(missing !== undefined)(
    `${name} gives the same, ${runs} draws each${title}`,
    async () => {
      device = open();
      const runtime = createRuntime(await device);
      for (const property of properties) {
        await check(property, runs, async (draw, view) => {
          const expected = { output: draw.expected(draw.inputs.map(arrayOf)), gradients: null };
          await checkOnDevice(property, draw, view, { runtime, expected });
        });
      }
      runtime.destroy();
    },
    300_000,
  );
}

type Check = (draw: OpDraw, view: number) => Promise<void>;

async function check({ name, draws }: OpProperty, numRuns: number, run: Check): Promise<void> {
  const property = fc.asyncProperty(draws, fc.nat(1_000), run);
  try {
    await fc.assert(property, { numRuns, seed: SEED, endOnFailure: false });
  } catch (error) {
    throw new Error(`${name}: ${(error as Error).message}`, { cause: error });
  }
}

interface Expected {
  readonly output: NdArray;
  /** Of the weighted sum of the output to each leaf; null where unknown. */
  readonly gradients: readonly Float64Array[] | null;
}

/** A weighted sum: its gradient is the weights, which no symmetry hides. */
function weighted(x: Tensor, ...label: (string | number)[]): Tensor {
  const random = new Random(SEED, ...label);
  const data = Float32Array.from({ length: x.size }, () => random.uniform() + 0.5);
  return x
    .cast("float32")
    .mul(tensor({ shape: x.shape, data }))
    .sum();
}

function checkOnInterpreter(property: OpProperty, draw: OpDraw, view: number): Expected {
  const runtime = new InterpreterRuntime();
  const expected = draw.expected(draw.inputs.map(arrayOf));
  return withRuntime(runtime, () => {
    const { inputs, leaves } = makeInputs(draw, view);
    const output = draw.apply(inputs);
    const [values] = runtime.peek([output.value.node]);
    compare("float64 value", present(values, "the output"), expected.data, EXACT_TOLERANCE);
    expect(output.shape, "the output's shape").toEqual(expected.shape);
    const derivatives = isFloat(output.dtype) && leaves.length > 0 ? (property.derivatives ?? 2) : 0;
    if (derivatives === 0) return { output: expected, gradients: null };
    const loss = weighted(output, "output");
    if (!loss.requiresGrad) return { output: expected, gradients: null };
    const first = grad(loss, leaves, { createGraph: true });
    checkDirection(runtime, loss, leaves, first);
    const again = first.filter((gradient) => gradient.requiresGrad);
    if (derivatives === 2 && again.length > 0) {
      const second = again.map((gradient, i) => weighted(gradient, "gradient", i)).reduce((a, b) => a.add(b));
      checkDirection(runtime, second, leaves, grad(second, leaves));
    }
    return { output: expected, gradients: runtime.peek(first.map((gradient) => gradient.value.node)) };
  });
}

/** <dL/dx, v> against (L(x + h v) - L(x - h v)) / 2h for one random direction of all leaves. */
function checkDirection(
  runtime: InterpreterRuntime,
  loss: Tensor,
  leaves: readonly Tensor[],
  gradients: readonly Tensor[],
): void {
  const nodes = leaves.map((leaf) => leaf.value.node);
  const values = runtime.peek(nodes);
  const analytic = runtime.peek(gradients.map((gradient) => gradient.value.node));
  const random = new Random(SEED, "direction");
  const direction = values.map((data) => data.map(() => 2 * random.uniform() - 1));
  const lossAt = (by: number): number => {
    nodes.forEach((node, i) =>
      runtime.poke(node, present(values[i], "values").map((x, j) => x + by * (direction[i]?.[j] ?? 0))),
    ); // prettier-ignore
    return runtime.peek([loss.value.node])[0]?.[0] ?? Number.NaN;
  };
  const numeric = (lossAt(STEP) - lossAt(-STEP)) / (2 * STEP);
  nodes.forEach((node, i) => runtime.poke(node, present(values[i], "values")));
  const terms = analytic.flatMap((data, i) => Array.from(data, (g, j) => g * (direction[i]?.[j] ?? 0)));
  const exact = terms.reduce((sum, term) => sum + term, 0);
  const size = 1 + terms.reduce((sum, term) => sum + Math.abs(term), 0);
  expect(Math.abs(exact - numeric) / size, `derivative ${exact}, finite difference ${numeric}`).toBeLessThan(
    DERIVATIVE_TOLERANCE,
  );
}

async function checkOnDevice(
  property: OpProperty,
  draw: OpDraw,
  view: number,
  { runtime, expected }: { runtime: Runtime; expected: Expected },
): Promise<void> {
  const tolerance = property.tolerance ?? DEVICE_TOLERANCE;
  const results = withRuntime(runtime, () => {
    const { inputs, leaves } = makeInputs(draw, view);
    const output = draw.apply(inputs);
    if (expected.gradients === null) return [output];
    return [output, ...grad(weighted(output, "output"), leaves)];
  });
  setDefaultRuntime(runtime); // For results that turned out constant.
  const [output, ...gradients] = await Tensor.readAll(results).finally(() => setDefaultRuntime(null));
  compare("device value", present(output, "the output"), expected.output.data, tolerance);
  gradients.forEach((gradient, i) =>
    compare(`device gradient ${i}`, gradient, present(expected.gradients?.[i], "a gradient"), tolerance),
  );
}

function compare(what: string, ours: ArrayLike<number>, theirs: ArrayLike<number>, tolerance: number): void {
  expect(ours.length, `${what}: elements`).toBe(theirs.length);
  const size = Array.from(theirs).reduce((most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most), 1);
  for (let i = 0; i < theirs.length; i++) {
    const [a = Number.NaN, b = Number.NaN] = [ours[i], theirs[i]];
    const isRight = Object.is(a, b) || a === b || Math.abs(a - b) <= tolerance * size;
    expect(isRight, `${what} [${i}]: expected ${b}, found ${a}`).toBe(true);
  }
}

function arrayOf({ shape, data }: PropertyInput): NdArray {
  return ndArray(shape, (_, place) => Math.fround(data[place] ?? Number.NaN));
}

/** The arguments, some as views of larger or reordered leaves, and the leaves that gradients flow to. */
function makeInputs({ inputs }: OpDraw, view: number): { inputs: Tensor[]; leaves: Tensor[] } {
  const leaves: Tensor[] = [];
  const tensors = inputs.map((input, i) => {
    const dtype = input.dtype ?? "float32";
    const kind = (view + i) % 4;
    const source = kind === 0 || input.shape.length === 0 ? arrayOf(input) : VIEWS[kind]?.store(arrayOf(input));
    const { shape, data } = present(source, "a stored array");
    const leaf = tensor({ shape, data: hostData(data, dtype) }, { dtype });
    if (isFloat(dtype) && input.hasGradient !== false) {
      leaf.requiresGrad = true;
      leaves.push(leaf);
    }
    return kind === 0 || input.shape.length === 0 ? leaf : present(VIEWS[kind], "a view").read(leaf);
  });
  return { inputs: tensors, leaves };
}

/** How an array can be stored so that a view gives it back. */
const VIEWS: Readonly<Record<number, { store(x: NdArray): NdArray; read(x: Tensor): Tensor }>> = {
  1: {
    // Transposed.
    store: (x) => ndArray([...x.shape].reverse(), (index) => valueAt(x, [...index].reverse())),
    read: (x) => x.permute(x.shape.map((_, axis) => x.shape.length - 1 - axis)),
  },
  2: {
    // Backwards along the first axis.
    store: (x) => ndArray(x.shape, ([i = 0, ...rest]) => valueAt(x, [(x.shape[0] ?? 0) - 1 - i, ...rest])),
    read: (x) => x.flip([0]),
  },
  3: {
    // Every second element of the last axis, from the second on.
    store: (x) =>
      ndArray([...x.shape.slice(0, -1), 2 * (x.shape.at(-1) ?? 0) + 1], (index) => {
        const last = index.at(-1) ?? 0;
        return last % 2 === 1 ? valueAt(x, [...index.slice(0, -1), (last - 1) / 2]) : 0.25;
      }),
    read: (x) => x.slice([...x.shape.slice(0, -1).map(() => null), [1, null, 2]]),
  },
};

function valueAt(x: NdArray, index: readonly number[]): number {
  const place = index.reduce((sum, i, axis) => sum * (x.shape[axis] ?? 1) + i, 0);
  return x.data[place] ?? 0;
}

function hostData(data: Float64Array, dtype: DType): HostArray {
  if (isFloat(dtype)) return Float32Array.from(data);
  return dtype === "int32" ? Int32Array.from(data) : Uint32Array.from(data);
}
