/** Recurrent layers and cells: forms, states, dropout and names. Their numbers are in the property tests. */
import { describe, expect, test } from "vitest";
import { Random } from "../../../src/base/random.ts";
import { OptionError, ShapeError } from "../../../src/base/errors.ts";
import { tensor, zeros } from "../../../src/compute/tensor/create.ts";
import { cat, stack } from "../../../src/compute/tensor/ops/cat.ts";
import { setDefaultRuntime } from "../../../src/compute/tensor/runtime-scope.ts";
import { Tensor } from "../../../src/compute/tensor/tensor.ts";
import { withRandom } from "../../../src/model/nn/init.ts";
import { GRU, LSTM, RNN } from "../../../src/model/nn/recurrent.ts";
import { GRUCell, LSTMCell, RNNCell } from "../../../src/model/nn/recurrent-cells.ts";
import { deviceRuntime } from "../../compute/tensor/test-runtimes.ts";

setDefaultRuntime(deviceRuntime());

function seeded<T>(fn: () => T): T {
  return withRandom(new Random(3, "layers"), fn);
}

function normal(shape: readonly number[], seed: number): Tensor {
  const random = new Random(seed, "inputs");
  return tensor({
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
  });
}

async function expectEqual(found: Tensor, wanted: Tensor): Promise<void> {
  expect(found.shape).toEqual(wanted.shape);
  const [a = [], b = []] = await Tensor.readAll([found, wanted]);
  a.forEach((x, i) => expect(x, `element ${i}`).toBeCloseTo(b[i] ?? Number.NaN, 5));
}

describe("LSTM", () => {
  test("loads PyTorch's state by its names", async () => {
    const layer = seeded(() => new LSTM(3, 2, { numLayers: 2, bidirectional: true }));
    const names = Object.keys(await layer.stateDict());
    expect(names).toEqual([0, 1].flatMap((l) => ["", "_reverse"].flatMap((way) =>
      ["weight_ih", "weight_hh", "bias_ih", "bias_hh"].map((what) => `${what}_l${l}${way}`)))); // prettier-ignore
    const other = withRandom(new Random(9), () => new LSTM(3, 2, { numLayers: 2, bidirectional: true }));
    other.loadStateDict(await layer.stateDict());
    const x = normal([4, 2, 3], 1);
    await expectEqual(other.call(x).output, layer.call(x).output);
  });

  test("the last states are the ends of the outputs, forwards and backwards", async () => {
    const layer = seeded(() => new LSTM(3, 2, { numLayers: 2, bidirectional: true, batchFirst: true }));
    const { output, hidden, cell } = layer.call(normal([5, 4, 3], 1));
    expect([output.shape, hidden.shape, cell.shape]).toEqual([[5, 4, 4], [4, 5, 2], [4, 5, 2]]); // prettier-ignore
    await expectEqual(hidden.select(0, 2), output.select(1, 3).narrow(1, 0, 2));
    await expectEqual(hidden.select(0, 3), output.select(1, 0).narrow(1, 2, 2));
  });

  test("goes on where it stopped, and a batch may be missing", async () => {
    const layer = seeded(() => new LSTM(3, 4, { numLayers: 2, projSize: 2 }));
    const x = normal([6, 2, 3], 1);
    const whole = layer.call(x);
    const first = layer.call(x.narrow(0, 0, 4));
    const second = layer.call(x.narrow(0, 4, 2), first);
    await expectEqual(cat([first.output, second.output], 0), whole.output);
    await expectEqual(second.cell, whole.cell);
    const single = layer.call(x.select(1, 1));
    expect([single.output.shape, single.hidden.shape, single.cell.shape]).toEqual([[6, 2], [2, 2], [2, 4]]); // prettier-ignore
    await expectEqual(single.output, whole.output.select(1, 1));
  });

  test("drops between layers while it trains", async () => {
    const layer = seeded(() => new LSTM(3, 8, { numLayers: 2, dropout: 0.5 }));
    const x = normal([4, 2, 3], 1);
    const [a, b] = [layer.call(x).output, layer.call(x).output];
    expect([...(await a.data())]).not.toEqual([...(await b.data())]);
    layer.eval();
    await expectEqual(layer.call(x).output, layer.call(x).output);
  });
});

describe("cells", () => {
  test("in a loop give what the layers give", async () => {
    const x = normal([4, 2, 3], 1);
    const pairs = [
      [
        seeded(() => new RNN(3, 5, { nonlinearity: "relu" })),
        seeded(() => new RNNCell(3, 5, { nonlinearity: "relu" })),
      ],
      [seeded(() => new GRU(3, 5)), seeded(() => new GRUCell(3, 5))],
    ] as const;
    for (const [layer, cell] of pairs) {
      let hidden: Tensor | undefined;
      const outputs = [0, 1, 2, 3].map((t) => (hidden = cell.call(x.select(0, t), hidden)));
      await expectEqual(layer.call(x).output, stack(outputs, 0));
    }
    const [layer, cell] = [seeded(() => new LSTM(3, 5)), seeded(() => new LSTMCell(3, 5))];
    let state = cell.call(x.select(0, 0));
    for (const t of [1, 2, 3]) state = cell.call(x.select(0, t), state);
    const found = layer.call(x);
    await expectEqual(found.hidden.squeeze(0), state.hidden);
    await expectEqual(found.cell.squeeze(0), state.cell);
    expect(cell.call(normal([3], 2)).hidden.shape).toEqual([5]);
  });

  test("have PyTorch's parameters", () => {
    const cell = seeded(() => new LSTMCell(3, 2));
    expect(cell.namedParameters().map(([name, { shape }]) => [name, shape])).toEqual([
      ["weight_ih", [8, 3]], ["weight_hh", [8, 2]], ["bias_ih", [8]], ["bias_hh", [8]],
    ]); // prettier-ignore
  });
});

test.each([
  ["a width that is not the layer's", () => seeded(() => new GRU(3, 2)).call(zeros([4, 2, 5])), ShapeError, "GRU: expected [T, N, 3] or [T, 3], found [4, 2, 5]"],
  ["no steps", () => seeded(() => new RNN(3, 2, { batchFirst: true })).call(zeros([4, 0, 3])), ShapeError, "RNN: expected at least one step, found [4, 0, 3]"],
  ["a state of another size", () => seeded(() => new GRU(3, 2)).call(zeros([4, 2, 3]), zeros([1, 2, 3])), ShapeError, "GRU: expected a state of [1, 2, 2], found [1, 2, 3]"],
  ["no layers", () => seeded(() => new LSTM(3, 2, { numLayers: 0 })), OptionError, "LSTM: expected numLayers from 1, found 0"],
  ["a projection that is no smaller", () => seeded(() => new LSTM(3, 2, { projSize: 2 })), OptionError, "LSTM: expected projSize below hiddenSize 2, found 2"],
  ["another nonlinearity", () => seeded(() => new RNN(3, 2, { nonlinearity: "elu" as "relu" })), OptionError, "RNN: expected the nonlinearity tanh or relu, found elu"],
  ["a cell's input", () => seeded(() => new LSTMCell(3, 2)).call(zeros([2, 4])), ShapeError, "LSTMCell: expected [N, 3] or [3], found [2, 4]"],
  ["a cell's state", () => seeded(() => new GRUCell(3, 2)).call(zeros([2, 3]), zeros([2])), ShapeError, "GRUCell: expected a state of [2, 2], found [2]"],
] as const)("recurrent layers refuse %s in one sentence", (_, call, kind, message) => {
  expect(call).toThrow(kind);
  expect(call).toThrow(message);
}); // prettier-ignore

test("results come by name and in PyTorch's order, and so may an LSTM's start", async () => {
  const x = tensor({ shape: [3, 2, 4], data: Float32Array.from({ length: 24 }, (_, i) => Math.sin(i)) });
  const lstm = new LSTM(4, 5);
  const [output, [hidden, cell]] = lstm.forward(x);
  const named = lstm.forward(x);
  expect(await output.data()).toEqual(await named.output.data());
  expect(await hidden.data()).toEqual(await named.hidden.data());
  expect(await cell.data()).toEqual(await named.cell.data());
  const again = lstm.forward(x, [hidden, cell]);
  expect(await again.output.data()).toEqual(await lstm.forward(x, { hidden, cell }).output.data());
  const [outputs, last] = new GRU(4, 5).forward(x);
  expect([outputs.shape, last.shape]).toEqual([
    [3, 2, 5],
    [1, 2, 5],
  ]);
});
