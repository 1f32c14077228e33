import { expect, test } from "vitest";
import { ReferenceDevice } from "../../../src/compute/device/reference/reference-device.ts";
import { openWasmDevice } from "../../../src/compute/device/wasm/open-wasm-device.ts";
import { answersOf, probeDevice } from "../../../src/training/parallel/probe.ts";
import { PROBE_ANSWERS } from "../../../src/training/parallel/probe-answers.ts";
import { brokenDevice, wrongFunction, wrongKernel } from "./broken-device.ts";

const digits = (value: number): number => Number(value.toPrecision(7));

test("the known answers are the reference device's", async () => {
  const found = await answersOf(new ReferenceDevice());
  const rounded = Object.entries(found).map(([name, answer]) => [
    name,
    answer && { loss: 0, norm: digits(answer.norm), sketch: answer.sketch.map(digits) },
  ]);
  expect(Object.fromEntries(rounded)).toEqual(PROBE_ANSWERS);
});

test("the wasm device passes", async () => {
  expect(await probeDevice(await openWasmDevice())).toBe(null);
});

test.each([
  ["exp", 1, 0.01, /^softmax: expected a norm of .*, found a norm of/],
  ["erf", 1.01, 0, /^gelu: /],
  ["sqrt", 0.99, 0, /^layerNorm: /],
  ["exp", Number.NaN, 0, /^softmax: .* found what is not finite$/],
] as const)(
  "a device whose %s is %d times and %d more than it should be is told by its operation",
  async (...broken) => {
    const [op, factor, shift, sentence] = broken;
    expect(await probeDevice(brokenDevice(new ReferenceDevice(), wrongFunction(op, factor, shift)))).toMatch(sentence);
  },
);

test("a device with one kernel that is off by a hundredth is found, whichever: every third is tried", async () => {
  const names: string[] = [];
  await probeDevice(brokenDevice(new ReferenceDevice(), (kernel) => (names.push(kernel.name), kernel)));
  expect(names.length).toBeGreaterThan(8);
  for (const [number, name] of names.entries()) {
    if (number % 3 > 0) continue;
    expect(await probeDevice(brokenDevice(new ReferenceDevice(), wrongKernel(number, 1.01))), name).not.toBe(null);
  }
}, 60_000);
