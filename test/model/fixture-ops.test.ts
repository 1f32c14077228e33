/** Ops and their gradients against PyTorch, where an element passes if |ours - theirs| <= atol + rtol |theirs|. */
import { expect, test } from "vitest";
import { describeError } from "../../src/base/errors.ts";
import { FIXTURE_OPS } from "../../tools/conformance/ops.ts";
import { runOp } from "../../tools/conformance/run-op.ts";
import { deviceRuntime } from "../compute/tensor/test-runtimes.ts";
import { fixturesMissing, opFixtures } from "./fixtures.ts";

const { cases, values } = opFixtures();
const known = cases.filter(({ op }) => FIXTURE_OPS.has(op));
const reason = fixturesMissing ?? `${known.length} of ${cases.length} cases`;

test.skipIf(fixturesMissing !== null)(
  `ops give PyTorch's values and gradients on the reference device (${reason})`,
  async () => {
    const runtime = deviceRuntime();
    const failures: string[] = [];
    for (const fixture of known) {
      const found = await runOp(runtime, fixture, values).catch(describeError);
      if (found !== null) failures.push(`${fixture.id}: ${found}`);
    }
    expect(failures).toEqual([]);
  },
  120_000,
);
