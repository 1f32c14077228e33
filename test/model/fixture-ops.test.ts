/** Ops and their gradients against PyTorch, where an element passes if |ours - theirs| <= atol + rtol |theirs|. */
import { expect, test } from "vitest";
import { assert, present } from "../../src/base/assert.ts";
import { grad } from "../../src/compute/tensor/autograd.ts";
import { tensor } from "../../src/compute/tensor/create.ts";
import { withRuntime } from "../../src/compute/tensor/runtime-scope.ts";
import { Tensor } from "../../src/compute/tensor/tensor.ts";
import { deviceRuntime } from "../compute/tensor/test-runtimes.ts";
import { fixturesMissing, opFixtures } from "./fixtures.ts";
import type { OpFixture } from "./fixtures.ts";
import { FIXTURE_OPS } from "./fixture-ops.ts";

const { cases, values } = opFixtures();
const known = cases.filter(({ op }) => FIXTURE_OPS.has(op));
const reason = fixturesMissing ?? `${known.length} of ${cases.length} cases`;

/** What ours gives: the output, then the gradients that the fixture has. */
function resultsOf(fixture: OpFixture): { names: string[]; tensors: Tensor[] } {
  const inputs = fixture.inputs.map(({ name, dtype }) =>
    tensor(values(name), { dtype, requiresGrad: dtype === "float32" }),
  );
  const apply = present(FIXTURE_OPS.get(fixture.op), fixture.op);
  const output = apply(inputs as unknown as [Tensor, Tensor, Tensor], fixture.options as never);
  if (fixture.gradOutput === undefined) return { names: [fixture.output], tensors: [output] };
  const wanted = (fixture.grads ?? []).flatMap((name, i) =>
    name === null ? [] : [{ name, input: present(inputs[i], name) }],
  );
  const seed = tensor(values(fixture.gradOutput)).reshape(output.shape);
  const weighted = output.mul(seed).sum();
  const grads = grad(weighted, wanted.map(({ input }) => input)); // prettier-ignore
  return { names: [fixture.output, ...wanted.map(({ name }) => name)], tensors: [output, ...grads] };
}

test.skipIf(fixturesMissing !== null)(
  `ops give PyTorch's values and gradients on the reference device (${reason})`,
  async () => {
    const runtime = deviceRuntime();
    const failures: string[] = [];
    for (const fixture of known) {
      const { names, tensors } = withRuntime(runtime, () => resultsOf(fixture));
      const results = await Tensor.readAll(tensors);
      for (const [i, name] of names.entries()) {
        const expected = values(name).data;
        const found = present(results[i], name);
        assert(found.length === expected.length, `${name}: ${found.length} values`);
        const wrong = expected.findIndex(
          (value, at) =>
            !(Math.abs((found[at] ?? Number.NaN) - value) <= fixture.atol + fixture.rtol * Math.abs(value)),
        );
        if (wrong >= 0) failures.push(`${name}[${wrong}]: ${found[wrong]} for ${expected[wrong]}`);
      }
    }
    expect(failures).toEqual([]);
  },
  120_000,
);
