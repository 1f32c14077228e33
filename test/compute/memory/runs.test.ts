/** Runs against a plain model of the same units, and what they refuse. */
import { expect, test } from "vitest";
import fc from "fast-check";
import { Runs } from "../../../src/compute/memory/runs.ts";

type Action =
  | { readonly kind: "take"; readonly size: number }
  | { readonly kind: "give"; readonly which: number }
  | { readonly kind: "addSpan"; readonly size: number }
  | { readonly kind: "removeSpan"; readonly which: number };

const actions: fc.Arbitrary<Action[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant("take" as const), size: fc.integer({ min: 1, max: 70 }) }) },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant("give" as const), which: fc.nat() }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant("addSpan" as const), size: fc.integer({ min: 1, max: 99 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("removeSpan" as const), which: fc.nat() }) },
  ),
  { maxLength: 200 },
);

/** Each unit on its own. */
class Model {
  /** By unit: the span's first unit; undefined where there is none. */
  readonly spans: (number | undefined)[] = [];
  readonly taken = new Map<number, number>();

  freeRuns(): { start: number; size: number }[] {
    const isTaken = new Set(
      [...this.taken].flatMap(([start, size]) => Array.from({ length: size }, (_, i) => start + i)),
    );
    const runs: { start: number; size: number }[] = [];
    for (let unit = 0; unit < this.spans.length; unit++) {
      if (this.spans[unit] === undefined || isTaken.has(unit)) continue;
      const last = runs.at(-1);
      const joins = last && last.start + last.size === unit && this.spans[unit] === this.spans[unit - 1];
      if (joins) last.size++;
      else runs.push({ start: unit, size: 1 });
    }
    return runs;
  }
}

function play(runs: Runs, model: Model, action: Action): number | undefined {
  switch (action.kind) {
    case "take": {
      const sizes = model.freeRuns().map(({ size }) => size).filter((size) => size >= action.size); // prettier-ignore
      const start = runs.take(action.size);
      if (sizes.length === 0) expect(start).toBeUndefined();
      else expect(model.freeRuns()).toContainEqual({ start, size: Math.min(...sizes) });
      if (start !== undefined) model.taken.set(start, action.size);
      return start;
    }
    case "give": {
      const start = [...model.taken.keys()][action.which % Math.max(1, model.taken.size)];
      if (start === undefined) return undefined;
      runs.give(start);
      model.taken.delete(start);
      return start;
    }
    case "addSpan": {
      const start = runs.addSpan(action.size);
      for (let unit = start; unit < start + action.size; unit++) {
        expect(model.spans[unit]).toBeUndefined();
        model.spans[unit] = start;
      }
      return start;
    }
    case "removeSpan": {
      const starts = [...new Set(model.spans)].filter((start) => start !== undefined);
      const start = starts[action.which % Math.max(1, starts.length)];
      if (start === undefined) return undefined;
      const units = model.spans.filter((of) => of === start).length;
      if (!model.freeRuns().some((run) => run.start === start && run.size === units)) {
        expect(() => runs.removeSpan(start)).toThrow("to be free");
        return undefined;
      }
      runs.removeSpan(start);
      for (let unit = start; unit < start + units; unit++) model.spans[unit] = undefined;
      return start;
    }
    default:
      action satisfies never;
      return undefined;
  }
}

test("every run is taken from the shortest free run that is long enough, as in the model", () => {
  fc.assert(
    fc.property(actions, (list) => {
      const runs = new Runs();
      const model = new Model();
      for (const action of list) {
        play(runs, model, action);
        const sizes = model.freeRuns().map(({ size }) => size);
        expect(runs.largestFree).toBe(Math.max(0, ...sizes));
        expect(runs.freeUnits).toBe(sizes.reduce((sum, size) => sum + size, 0));
      }
    }),
    { seed: 11, numRuns: 200, endOnFailure: true },
  );
});

test("the same calls give the same places", () => {
  fc.assert(
    fc.property(actions, (list) => {
      const [first, second] = [new Runs(), new Runs()].map((runs) => {
        const model = new Model();
        return list.map((action) => play(runs, model, action));
      });
      expect(first).toEqual(second);
    }),
    { seed: 12, numRuns: 50, endOnFailure: true },
  );
});

test("giving all back leaves one run a span", () => {
  fc.assert(
    fc.property(actions, fc.infiniteStream(fc.nat()), (list, order) => {
      const runs = new Runs();
      const model = new Model();
      for (const action of list) play(runs, model, action);
      while (model.taken.size > 0) play(runs, model, { kind: "give", which: order.next().value });
      for (const start of new Set(model.spans)) {
        if (start === undefined) continue;
        expect(runs.sizeAt(start)).toBe(model.spans.filter((of) => of === start).length);
        runs.removeSpan(start);
      }
      expect(runs.freeUnits).toBe(0);
    }),
    { seed: 13, numRuns: 100, endOnFailure: true },
  );
});

test("spans of one size lie at its multiples, whatever was removed before", () => {
  const runs = new Runs();
  const starts = [64, 64, 64, 64].map((units) => runs.addSpan(units));
  expect(starts).toEqual([0, 64, 128, 192]);
  runs.removeSpan(64);
  runs.removeSpan(0);
  expect([runs.addSpan(64), runs.addSpan(64), runs.addSpan(64)].sort((a, b) => a - b)).toEqual([0, 64, 256]);
});

test("neighbours in different spans do not join", () => {
  const runs = new Runs();
  runs.addSpan(4);
  runs.addSpan(4);
  expect(runs.take(5)).toBeUndefined();
  expect([runs.take(4), runs.take(4)].sort((a = 0, b = 0) => a - b)).toEqual([0, 4]);
  runs.give(0);
  runs.give(4);
  expect(runs.largestFree).toBe(4);
});

test("what cannot be given, taken or removed is named", () => {
  const runs = new Runs();
  runs.addSpan(8);
  const start = runs.take(3) ?? -1;
  expect(() => runs.give(start + 1)).toThrow("found 1, where no run starts");
  expect(() => runs.give(3)).toThrow("found 3, the start of a free run of 5");
  runs.give(start);
  expect(() => runs.give(start)).toThrow("found 0, the start of a free run of 8");
  expect(() => runs.takeAt(2, 1)).toThrow("found where no run starts");
  expect(() => runs.take(0)).toThrow("expected 1 unit or more, found 0");
  expect(() => runs.removeSpan(1)).toThrow("expected the first unit of a span, found 1");
});
