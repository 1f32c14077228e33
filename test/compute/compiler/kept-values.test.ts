import { expect, test } from "vitest";
import { Random } from "../../../src/base/random.ts";
import { binary, buffer, expand, reduce, unary } from "../../../src/compute/compiler/graph.ts";
import type { Node } from "../../../src/compute/compiler/ir.ts";
import { keptValues } from "../../../src/compute/compiler/kept-values.ts";
import { tensor, withRuntime, type Tensor } from "../../../src/index.ts";
import { openRuntime } from "../../../src/node.ts";

const SHAPE = [4, 40];

/** exp(x - max) / sum: what each sweep computes. */
function softmax(): { x: Node; power: Node; sweeps: Node[][] } {
  const x = buffer(SHAPE, "float32");
  const power = unary("exp", binary("subtract", x, expand(reduce("maximum", x, [1]), SHAPE)));
  const out = binary("divide", power, expand(reduce("sum", power, [1]), SHAPE));
  return { x, power, sweeps: [[x], [power], [out]] };
}

test("a value that costs much is kept from the first sweep that reads it", () => {
  const { x, power, sweeps } = softmax();
  expect(keptValues(sweeps, SHAPE, (node) => node === x)).toEqual([{ node: power, sweep: 1 }]);
});

test("what is read in one sweep, or costs little, is not kept", () => {
  const { x, power } = softmax();
  expect(keptValues([[x], [power]], SHAPE, (node) => node === x)).toEqual([]);
  const twice = binary("add", x, x);
  expect(keptValues([[twice], [twice]], SHAPE, (node) => node === x)).toEqual([]);
});

test("beneath a kept value nothing is kept that only it reads", () => {
  const x = buffer(SHAPE, "float32");
  const inner = unary("tanh", x);
  const outer = unary("exp", inner);
  expect(keptValues([[outer], [outer]], SHAPE, (node) => node === x)).toEqual([{ node: outer, sweep: 0 }]);
  const both = binary("add", outer, inner);
  const kept = keptValues([[outer], [both]], SHAPE, (node) => node === x);
  expect(kept.map(({ node }) => node)).toEqual([outer, inner]);
});

const CHAINS: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  softmax: (x) => x.softmax(-1),
  "log of a softmax of tanh": (x) => x.tanh().softmax(-1).add(1e-3).log(),
  "a norm of exponentials": (x) =>
    x
      .exp()
      .sub(x.exp().mean(-1, { keepDim: true }))
      .div(x.exp().sum(-1, { keepDim: true }).add(1)),
};

const LENGTHS = [1, 3, 31, 32, 64, 67, 1000, 16_384, 16_385];

function rowsOf(columns: number): Float32Array<ArrayBuffer> {
  const random = new Random(columns);
  return Float32Array.from({ length: 3 * columns }, () => 4 * random.uniform() - 2);
}

for (const [name, chain] of Object.entries(CHAINS)) {
  test(
    `${name}: WebAssembly computes what the reference device does, for rows of any length`,
    { timeout: 60_000 },
    async () => {
      const found = new Map<string, Float32Array[]>();
      for (const kind of ["wasm", "reference"] as const) {
        const { runtime } = await openRuntime(kind);
        const outs = withRuntime(runtime, () =>
          LENGTHS.map((columns) => chain(tensor(rowsOf(columns)).reshape([3, columns]))),
        );
        const results = await Promise.all(outs.map(async (out) => (await out.data()) as Float32Array));
        found.set(kind, results);
      }
      for (const [i, expected] of (found.get("reference") ?? []).entries()) {
        const own = found.get("wasm")?.[i] ?? new Float32Array();
        expect(own.length).toBe(expected.length);
        for (const [at, value] of expected.entries())
          expect(Math.abs((own[at] ?? NaN) - value)).toBeLessThan(2e-5 * (1 + Math.abs(value)));
      }
    },
  );
}
