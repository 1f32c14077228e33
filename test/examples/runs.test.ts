import { expect, test } from "vitest";
import addition from "../../examples/addition.ts";
import charGpt from "../../examples/char-gpt.ts";
import digits from "../../examples/digits.ts";
import type { Bytes } from "../../src/base/bytes.ts";
import { systemClock } from "../../src/base/clock.ts";
import { Random } from "../../src/base/random.ts";
import { ReferenceDevice } from "../../src/compute/device/reference/reference-device.ts";
import { Trainer } from "../../src/training/parallel/data/trainer.ts";
import type { RunDefinition } from "../../src/training/run-definition.ts";

const text = (value: string): Bytes => new TextEncoder().encode(value);

function drawnDigits(): Bytes {
  const random = new Random(3, "digits");
  const lines = Array.from({ length: 60 }, (_, row) => {
    const label = row % 10;
    const pixels = Array.from({ length: 64 }, (_, at) => (at % 10 === label ? 16 : random.below(4)));
    return [...pixels, label].join(",");
  });
  return text(lines.join("\n"));
}

const RUNS: readonly [string, RunDefinition, Bytes | null][] = [
  ["char-gpt", charGpt as unknown as RunDefinition, text("the fire is warm, the night is long. ".repeat(20))],
  ["digits", digits as unknown as RunDefinition, drawnDigits()],
  ["addition", addition as unknown as RunDefinition, null],
];

async function open(
  definition: RunDefinition,
  bytes: Bytes | null,
  settings = {},
  memoryBudgetBytes: number | null = null,
): Promise<Trainer> {
  return Trainer.create({
    definition,
    device: new ReferenceDevice(),
    memoryBudgetBytes,
    bytes,
    spec: { seed: 5, settings },
    clock: systemClock,
  });
}

test.each(RUNS)(
  "%s learns: ten plain steps lower its loss, and it writes a sample",
  async (_name, definition, bytes) => {
    const trainer = await open(definition, bytes);
    let parameters = trainer.initialParameters();
    let state = new Float32Array(trainer.parameterCount * trainer.stateFloats);
    const losses: number[] = [];
    for (let step = 1; step <= 10; step++) {
      const { loss, gradient } = await trainer.slot(parameters, step, 0);
      losses.push(loss);
      ({ parameters, state } = await trainer.update({ step, parameters, gradient: new Float32Array(gradient), state }));
    }
    expect(losses.slice(-3).reduce((a, b) => a + b) / 3).toBeLessThan(losses[0] ?? 0);
    expect((await trainer.sample(10))?.length).toBeGreaterThan(5);
    trainer.destroy();
  },
);

test("the same seed gives the same parameters and the same samples, wherever they are drawn", async () => {
  const [one, other] = [
    await open(charGpt as unknown as RunDefinition, RUNS[0]?.[2] ?? null),
    await open(charGpt as unknown as RunDefinition, RUNS[0]?.[2] ?? null),
  ];
  expect(one.initialParameters()).toEqual(other.initialParameters());
  expect(await one.slot(one.initialParameters(), 7, 3)).toEqual(await other.slot(other.initialParameters(), 7, 3));
});

test("half of the memory that a slot takes is enough for it, with the same loss and gradient", async () => {
  const slotIn = async (budget: number | null): Promise<{ loss: number; gradient: Float32Array; peak: number }> => {
    const definition = { ...charGpt, globalBatch: 128 } as unknown as RunDefinition;
    const trainer = await open(definition, RUNS[0]?.[2] ?? null, {}, budget);
    const slot = await trainer.slot(trainer.initialParameters(), 7, 3);
    const { peakBytes, takenBytes } = trainer.runtime.snapshot();
    expect(takenBytes).toBeLessThanOrEqual(budget ?? Infinity);
    trainer.destroy();
    return { ...slot, peak: peakBytes };
  };
  const wanted = await slotIn(null);
  const found = await slotIn(wanted.peak / 2);
  // If in parts, each is rounded to 2^-24 of sums of some hundred terms.
  expect(found.loss).toBeCloseTo(wanted.loss, 5);
  wanted.gradient.forEach((value, i) => expect(found.gradient[i]).toBeCloseTo(value, 5));
});

test("settings change the model, and an unknown or senseless one is refused with a sentence", async () => {
  const definition = addition as unknown as RunDefinition;
  const wide = await open(definition, null, { width: "24", layers: "1" });
  expect(wide.parameterCount).toBeLessThan((await open(definition, null)).parameterCount);
  await expect(open(definition, null, { depth: "3" })).rejects.toThrow(/“depth” is unknown/);
  await expect(open(definition, null, { lr: "fast" })).rejects.toThrow(/positive number/);
});

test.each([
  ["an empty text", "", /0 characters/],
  ["two characters", "ab", /2 characters/],
  ["fewer letters than it looks", "🔥".repeat(40), /80 characters/],
])("char-gpt refuses %s with one sentence", async (_name, content, sentence) => {
  await expect(open(charGpt as unknown as RunDefinition, text(content))).rejects.toThrow(sentence);
});
