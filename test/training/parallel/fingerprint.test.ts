import { expect, test } from "vitest";
import charGpt from "../../../examples/char-gpt.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { Random } from "../../../src/base/random.ts";
import type { Device } from "../../../src/compute/device/device.ts";
import { ReferenceDevice } from "../../../src/compute/device/reference/reference-device.ts";
import { openWasmDevice } from "../../../src/compute/device/wasm/open-wasm-device.ts";
import { SKETCH, type Fingerprint } from "../../../src/network/wire/messages.ts";
import { agree } from "../../../src/training/coordinator/audit-claims.ts";
import { Trainer } from "../../../src/training/parallel/data/trainer.ts";
import { fingerprintOf } from "../../../src/training/parallel/fingerprint.ts";
import type { RunDefinition } from "../../../src/training/run-definition.ts";
import { brokenDevice, wrongFunction } from "./broken-device.ts";

const TEXT = new TextEncoder().encode("the fire is warm, the night is long. ".repeat(20));
const [STEP, SLOT] = [7, 3];

interface SlotResult {
  readonly loss: number;
  readonly gradient: Float32Array;
}

async function slotOn(device: Device): Promise<SlotResult> {
  const definition = charGpt as unknown as RunDefinition;
  const spec = { seed: 5, settings: {} };
  const trainer = await Trainer.create({ definition, device, bytes: TEXT, spec, clock: systemClock });
  const { loss, gradient } = await trainer.slot(trainer.initialParameters(), STEP, SLOT);
  trainer.destroy();
  return { loss, gradient: gradient.slice() };
}

const printOf = ({ loss, gradient }: SlotResult): Fingerprint | null => fingerprintOf(loss, gradient, STEP, SLOT);

function apart(a: Fingerprint | null, b: Fingerprint | null): number {
  const differences = a?.sketch.map((value, at) => value - (b?.sketch[at] ?? Number.NaN)) ?? [Number.NaN];
  return Math.hypot(...differences) / (a?.norm ?? Number.NaN);
}

test("char-gpt's slot has the same fingerprint on the reference and the wasm device, far within the bound, and another on a broken one", async () => {
  const reference = await slotOn(new ReferenceDevice());
  const wasm = await slotOn(await openWasmDevice());
  const [expected, found] = [printOf(reference), printOf(wasm)];
  expect(agree(expected, found)).toBe(true);
  // Sums of some thousand products, each rounded to 2^-24, in another order.
  expect(apart(expected, found)).toBeLessThan(1e-5);
  for (const change of [wrongFunction("exp", 1.01), wrongFunction("sqrt", 0.98)]) {
    const broken = await slotOn(brokenDevice(new ReferenceDevice(), change));
    expect(agree(expected, printOf(broken))).toBe(false);
  }
}, 120_000);

const random = new Random(3, "gradient");
const gradient = Float32Array.from({ length: 5_000 }, () => random.normal());

function changed(change: (values: Float32Array) => void): SlotResult {
  const values = gradient.slice();
  change(values);
  return { loss: 1, gradient: values };
}

const right = printOf({ loss: 1, gradient });

test("what is wrong with a gradient shows, however it is spread", () => {
  const norm = right?.norm ?? 0;
  const wrong: Readonly<Record<string, SlotResult>> = {
    "one element": changed((values) => void (values[4_321] = (values[4_321] ?? 0) + 2e-3 * norm)),
    "a part at zero": changed((values) => void values.fill(0, 100, 164)),
    "all a little larger": changed((values) => values.forEach((value, at) => void (values[at] = 1.002 * value))),
    "the sign of a part": changed((values) =>
      values.subarray(0, 50).forEach((value, at) => void (values[at] = -value)),
    ),
    "two rows exchanged": changed((values) => values.set([...gradient.subarray(64, 128), ...gradient.subarray(0, 64)])),
    "another loss": { loss: 1.01, gradient },
  };
  for (const [what, result] of Object.entries(wrong)) expect(agree(right, printOf(result)), what).toBe(false);
});

test("rounding does not show: each element off by 10^-5 of itself", () => {
  const noisy = changed((values) =>
    values.forEach((value, at) => void (values[at] = value * (1 + 1e-5 * random.normal()))),
  );
  expect(agree(right, printOf(noisy))).toBe(true);
});

test("the sketch's square is the norm's on average: over 200 draws within three deviations of 1/3 / sqrt(200)", () => {
  let sum = 0;
  for (let slot = 0; slot < 200; slot++) {
    const found = fingerprintOf(1, gradient, 1, slot);
    expect(found?.sketch).toHaveLength(SKETCH);
    sum += (Math.hypot(...(found?.sketch ?? [])) / (found?.norm ?? 1)) ** 2 / 200;
  }
  expect(Math.abs(sum - 1)).toBeLessThan((3 * Math.sqrt(2 / SKETCH)) / Math.sqrt(200));
});

test("what is not finite has none", () => {
  expect(printOf({ loss: Number.NaN, gradient })).toBe(null);
  expect(printOf(changed((values) => void (values[7] = Number.NaN)))).toBe(null);
  expect(printOf(changed((values) => void (values[7] = Number.POSITIVE_INFINITY)))).toBe(null);
});
