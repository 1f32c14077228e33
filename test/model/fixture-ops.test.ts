/** Ops and their gradients against PyTorch, where an element passes if |ours - theirs| <= atol + rtol |theirs|. */
import { expect, test } from "vitest";
import { describeError } from "../../src/base/errors.ts";
import { FIXTURE_OPS } from "../../tools/conformance/ops.ts";
import { runOp } from "../../tools/conformance/run-op.ts";
import { createRuntime } from "../../src/compute/runtime/graph-runtime.ts";
import type { Runtime } from "../../src/compute/runtime/runtime.ts";
import { openWasm } from "../compute/device/devices.ts";
import { deviceRuntime } from "../compute/tensor/test-runtimes.ts";
import { fixturesMissing, opFixtures } from "./fixtures.ts";

const { cases, values } = opFixtures();
const known = cases.filter(({ op }) => FIXTURE_OPS.has(op));
const reason = fixturesMissing ?? `${known.length} of ${cases.length} cases`;

const devices: readonly [string, () => Promise<Runtime>][] = [
  ["the reference device", async () => deviceRuntime()],
  ["WebAssembly", async () => createRuntime(await openWasm())],
];

for (const [name, open] of devices) {
  test.skipIf(fixturesMissing !== null)(
    `ops give PyTorch's values and gradients on ${name} (${reason})`,
    async () => {
      const runtime = await open();
      const failures: string[] = [];
      for (const fixture of known) {
        const found = await runOp(runtime, fixture, values).catch(describeError);
        if (found !== null) failures.push(`${fixture.id}: ${found}`);
      }
      expect(failures).toEqual([]);
      runtime.destroy();
      runtime.device.destroy();
    },
    120_000,
  );
}
