/** One op and its gradients against PyTorch. */
import { present } from "../../src/base/assert.ts";
import { UnsupportedError } from "../../src/base/errors.ts";
import type { Runtime } from "../../src/compute/runtime/runtime.ts";
import { grad } from "../../src/compute/tensor/autograd.ts";
import { tensor } from "../../src/compute/tensor/create.ts";
import { withRuntime } from "../../src/compute/tensor/runtime-scope.ts";
import { Tensor } from "../../src/compute/tensor/tensor.ts";
import { difference } from "./compare.ts";
import { erratumOf } from "./errata.ts";
import type { Fixtures, OpFixture } from "./fixtures.ts";
import { FIXTURE_OPS } from "./ops.ts";

type Values = Fixtures<OpFixture>["values"];

/** Null when output and gradients are PyTorch's, else why not. @throws what the op throws; UnsupportedError without it */
export async function runOp(runtime: Runtime, fixture: OpFixture, values: Values): Promise<string | null> {
  const options = erratumOf(fixture, values)?.options ?? fixture.options;
  return compareOp(runtime, { ...fixture, options }, values);
}

async function compareOp(runtime: Runtime, fixture: OpFixture, values: Values): Promise<string | null> {
  const { names, tensors } = await resultsOf(runtime, fixture, values);
  // Inside too: a gradient of zeros is on no runtime yet.
  const results = await withRuntime(runtime, () => Tensor.readAll(tensors));
  for (const [i, name] of names.entries()) {
    const found = { shape: present(tensors[i], name).shape, data: present(results[i], name) };
    const reason = difference(name, found, values(name), fixture);
    if (reason !== null) return reason;
  }
  return null;
}

/** What hearth gives: the output, then the gradients that the fixture has. */
async function resultsOf(
  runtime: Runtime,
  fixture: OpFixture,
  values: Values,
): Promise<{ names: string[]; tensors: Tensor[] }> {
  const apply = FIXTURE_OPS.get(fixture.op);
  if (apply === undefined) throw new UnsupportedError(`hearth has no ${fixture.op} yet`);
  const { inputs, output: found } = withRuntime(runtime, () => {
    const drawn = fixture.inputs.map(({ name, dtype }) =>
      tensor(values(name), { dtype, requiresGrad: dtype === "float32" }),
    );
    const given = drawn as unknown as Parameters<typeof apply>[0];
    return { inputs: drawn, output: apply(given, fixture.options as never) };
  });
  const output = await found;
  const seedName = fixture.gradOutput;
  if (seedName === undefined) return { names: [fixture.output], tensors: [output] };
  const wanted = (fixture.grads ?? []).flatMap((name, i) =>
    name === null ? [] : [{ name, input: present(inputs[i], name) }],
  );
  const grads = withRuntime(runtime, () => {
    const weighted = output.mul(tensor(values(seedName)).reshape(output.shape)).sum();
    return grad(weighted, wanted.map(({ input }) => input)); // prettier-ignore
  });
  return { names: [fixture.output, ...wanted.map(({ name }) => name)], tensors: [output, ...grads] };
}
