/**
 * `npx tsx tools/measure-memory.ts [--steps 10000] [--read-every 1]`: device memory of eager training steps in which nothing is
 * disposed, on the reference device. Without --expose-gc, as users run it.
 */
import { parseArgs } from "node:util";
import { Random } from "../src/base/random.ts";
import { ReferenceDevice } from "../src/compute/device/reference/reference-device.ts";
import { createRuntime } from "../src/compute/runtime/graph-runtime.ts";
import { randInt, randn } from "../src/compute/tensor/create-random.ts";
import { memoryReport } from "../src/compute/tensor/memory.ts";
import { crossEntropy } from "../src/compute/tensor/ops/cross-entropy.ts";
import { setDefaultRuntime } from "../src/compute/tensor/runtime-scope.ts";
import { withRandom } from "../src/model/nn/init.ts";
import { Linear } from "../src/model/nn/linear.ts";
import { AdamW } from "../src/model/optim/adam.ts";

const { values } = parseArgs({
  options: { steps: { type: "string", default: "10000" }, "read-every": { type: "string", default: "1" } },
});
const steps = Number(values.steps);
const readEvery = Number(values["read-every"]);

setDefaultRuntime(createRuntime(new ReferenceDevice()));
const random = new Random(1);
const [inner, outer] = withRandom(random, () => [new Linear(16, 32), new Linear(32, 4)] as const);
const optimizer = new AdamW([...inner.parameters(), ...outer.parameters()], { lr: 1e-3 });
const start = performance.now();
console.log("step | live bytes | pooled bytes | peak bytes | live tensors | heap MB | s");
for (let step = 1; step <= steps; step++) {
  const x = randn([16, 16], random);
  const loss = crossEntropy(outer.forward(inner.forward(x).relu()), randInt(4, [16], random));
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
  if (step % readEvery === 0) await loss.item();
  if (![100, 1000, 2000, 5000, 10_000].includes(step)) continue;
  const { liveBytes, pooledBytes, peakBytes, liveTensors } = memoryReport();
  const heap = (process.memoryUsage().heapUsed / 2 ** 20).toFixed(0);
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log([step, liveBytes, pooledBytes, peakBytes, liveTensors, heap, seconds].join(" | "));
}
process.exit(0);
