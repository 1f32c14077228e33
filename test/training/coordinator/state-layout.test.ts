import { expect, test } from "vitest";
import { CorruptDataError } from "../../../src/base/errors.ts";
import type { StateLayout, TensorLayout } from "../../../src/network/wire/state-record.ts";
import { checkStateLayout } from "../../../src/training/coordinator/check-state-layout.ts";
import { EMPTY, Script } from "./script.ts";

const WEIGHT: TensorLayout = { name: "weight", dtype: "float32", shape: [2, 3], offset: 0 };
const BIAS: TensorLayout = { name: "bias", dtype: "float32", shape: [3], offset: 6 };

function layoutOf(tensors: readonly TensorLayout[], vectors: readonly string[] = ["exp_avg"]): StateLayout {
  return { tensors, optimizer: { name: "adamw", options: {}, vectors }, lossScale: null };
}

const RIGHT = layoutOf([WEIGHT, BIAS]);

const WRONG: readonly (readonly [what: string, layout: StateLayout, message: string])[] = [
  ["an overlap", layoutOf([WEIGHT, { ...BIAS, offset: 5 }]), 'tensor "bias": expected offset 6, found 5: an overlap'],
  ["a gap", layoutOf([WEIGHT, { ...BIAS, offset: 7 }]), 'tensor "bias": expected offset 6, found 7: a gap'],
  ["a gap in front", layoutOf([{ ...WEIGHT, offset: 1 }]), 'tensor "weight": expected offset 0, found 1: a gap'],
  ["another dtype", layoutOf([{ ...WEIGHT, dtype: "float16" }]), "expected dtype float32, found float16"],
  ["two of a name", layoutOf([WEIGHT, { ...BIAS, name: "weight" }]), 'expected one tensor "weight", found two'],
  ["no name", layoutOf([{ ...WEIGHT, name: "" }]), "expected a name for each tensor"],
  ["no tensors", layoutOf([]), "expected tensors, found none"],
  ["two vectors of a name", layoutOf([WEIGHT, BIAS], ["m", "m"]), 'expected one optimizer vector "m", found two'],
  ["no count", layoutOf([{ ...WEIGHT, shape: [2 ** 31, 2 ** 31] }]), "expected an end that can be counted"],
];

test("a layout of tensors end to end is as many parameters as they have", () => {
  expect(checkStateLayout(RIGHT)).toBe(9);
  expect(checkStateLayout(layoutOf([{ ...WEIGHT, shape: [] }], []))).toBe(1);
});

test.each(WRONG)("a layout with %s is refused, its teller put out, and the others go on", (_, layout, message) => {
  expect(() => checkStateLayout(layout)).toThrow(CorruptDataError);
  expect(() => checkStateLayout(layout)).toThrow(message);
  const script = new Script({ startWith: 1 });
  script.join("bad", EMPTY, "device-bad", layout);
  expect(script.lastTo("bad", "refused")).toMatchObject({ code: "mismatch", reason: expect.stringContaining(message) });
  expect([...script.state.peers.keys()]).toEqual([]);
  expect(script.state.layout).toBeNull();
  script.join("good", EMPTY, "device-good", RIGHT);
  script.ready("good", 0);
  script.vote("good");
  expect(script.committedStep).toBe(1);
  expect(script.state.layout).toEqual(RIGHT);
});

test("a layout of another total than the room's is refused while the run goes on", () => {
  const script = new Script({ startWith: 1 });
  script.join("a", EMPTY, "device-a", RIGHT);
  script.ready("a", 0);
  script.join("b", EMPTY, "device-b", layoutOf([WEIGHT]));
  expect(script.lastTo("b", "refused")).toMatchObject({
    reason: "state layout: expected the room's 9 parameters, found 6",
  });
  script.vote("a");
  expect(script.committedStep).toBe(1);
  expect([...script.state.peers.keys()]).toEqual(["a"]);
});
