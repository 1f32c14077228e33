/** Data as a user meets it: by the public entry, from a text to batches to a model, and on from a checkpoint. */
import { expect, test } from "vitest";
import { data, functional as F, nn, optim, Random, safetensors, setDefaultRuntime } from "../../../src/index.ts";
import { deviceRuntime } from "../../compute/tensor/test-runtimes.ts";

/** Points, and whether they lie above a line. */
function table(): string {
  const random = new Random(5);
  const rows = Array.from({ length: 40 }, () => {
    const [x, y] = [random.uniform(), random.uniform()];
    return `${x},${y},${y > x ? 1 : 0}`;
  });
  return `x,y,above\n${rows.join("\n")}\n`;
}

type Row = readonly [data.HostTensor, data.HostTensor];

function points(): data.DataLoader<Row, Row> {
  const csv = data.readCsv(table(), { columns: { x: "float32", y: "float32", above: "int32" } });
  const dataset = new data.TensorDataset(csv.matrix(["x", "y"]), csv.column("above"));
  return new data.DataLoader(dataset, { batchSize: 8, shuffle: true, seed: 11 });
}

/** Trains up to `steps` in all, over as many epochs as it takes. */
async function train(
  model: nn.Linear,
  loader: ReturnType<typeof points>,
  steps: number,
): Promise<{ losses: number[]; state: data.DataLoaderState }> {
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.5 });
  const losses: number[] = [];
  while (losses.length < steps) {
    for await (const [x, y] of loader) {
      optimizer.zeroGrad();
      const loss = F.crossEntropy(model.forward(x), y);
      loss.backward();
      optimizer.step();
      losses.push(await loss.item());
      if (losses.length === steps) break;
    }
  }
  return { losses, state: loader.state() };
}

test("a model learns from a loader, and goes on from a checkpoint in the middle of an epoch with the same bits", async () => {
  setDefaultRuntime(deviceRuntime());
  const fresh = (seed: number): nn.Linear => nn.withRandom(new Random(seed), () => new nn.Linear(2, 2));
  const whole = fresh(1);
  const { losses } = await train(whole, points(), 33);
  expect(losses.at(-1)).toBeLessThan(0.8 * (losses[0] ?? 0));

  const first = fresh(1);
  const { state } = await train(first, points(), 12);
  const checkpoint = { weights: await safetensors.saveModule(first), loader: JSON.stringify(state) };
  expect(state).toMatchObject({ epoch: 2, position: 2 });

  const second = fresh(2);
  await safetensors.loadModule(
    second,
    await safetensors.SafetensorsFile.open(safetensors.bytesSource(checkpoint.weights)),
  );
  const loader = points();
  loader.resume(JSON.parse(checkpoint.loader) as data.DataLoaderState);
  const rest = await train(second, loader, 21);
  expect(rest.losses).toEqual(losses.slice(12));
  expect(await second.stateDict()).toEqual(await whole.stateDict());
});
