/** Attention, whole and in tiles, against plain loops over queries and keys. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { OptionError, ShapeError, UnsupportedError } from "../../../../src/base/errors.ts";
import { zeros } from "../../../../src/compute/tensor/create.ts";
import { scaledDotProductAttention } from "../../../../src/compute/tensor/ops/scaled-dot-product-attention.ts";
import type { Tensor } from "../../../../src/compute/tensor/tensor.ts";
import { withRuntime } from "../../../../src/compute/tensor/runtime-scope.ts";
import { InterpreterRuntime } from "../interpreter-runtime.ts";
import { booleans, floats } from "./draws.ts";
import { at, broadcastAt, ndArray } from "./nd-array.ts";
import type { NdArray } from "./nd-array.ts";
import { type OpDraw, type OpProperty, type PropertyInput, testProperties } from "./op-property.ts";

interface Case {
  readonly lead: readonly number[];
  readonly keyHeads: number;
  readonly group: number;
  readonly queries: number;
  readonly keys: number;
  readonly depth: number;
  readonly width: number;
  readonly causal: boolean;
  readonly scale: number | undefined;
  /** Which axes of the mask repeat. */
  readonly ones: readonly boolean[];
  readonly seed: number;
}

type MaskKind = "none" | "bool" | "float" | "bool and bias";

const cases = (sizeMin: number, sizeMax: number): fc.Arbitrary<Case> =>
  fc.record({
    lead: fc.array(fc.integer({ min: 1, max: 2 }), { maxLength: 1 }),
    keyHeads: fc.integer({ min: 1, max: 2 }),
    group: fc.integer({ min: 1, max: 2 }),
    queries: fc.integer({ min: sizeMin, max: sizeMax }),
    keys: fc.integer({ min: sizeMin, max: sizeMax }),
    depth: fc.integer({ min: 1, max: 3 }),
    width: fc.integer({ min: 1, max: 3 }),
    causal: fc.boolean(),
    scale: fc.option(fc.constantFrom(0.3, 1.5), { nil: undefined }),
    ones: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
    seed: fc.nat(),
  });

function drawOf(c: Case, kind: MaskKind, tileSize: number | undefined): OpDraw {
  const heads = c.keyHeads * c.group;
  const inputs: PropertyInput[] = [
    floats([...c.lead, heads, c.queries, c.depth], c.seed),
    floats([...c.lead, c.keyHeads, c.keys, c.depth], c.seed + 1),
    floats([...c.lead, c.keyHeads, c.keys, c.width], c.seed + 2),
  ];
  const scores = [...c.lead, heads, c.queries, c.keys];
  const masks = scores.map((size, i) => (c.ones[i] === true ? 1 : size));
  if (kind === "float") inputs.push(floats(masks, c.seed + 3));
  if (kind.startsWith("bool")) inputs.push(booleans(masks, c.seed + 3));
  if (kind === "bool and bias") inputs.push(floats(scores.slice(-2), c.seed + 4));
  const options = { causal: c.causal, scale: c.scale, tileSize };
  return {
    inputs,
    apply: ([q, k, v, mask, bias]) =>
      scaledDotProductAttention(q as Tensor, k as Tensor, v as Tensor, {
        ...(mask && { mask }),
        ...(bias && { bias }),
        ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
      }),
    expected: (arrays) => attention(arrays, c, kind),
  };
}

/** Query by query, with nothing but sums and exponentials. */
function attention([q, k, v, mask, bias]: readonly NdArray[], c: Case, kind: MaskKind): NdArray {
  const scale = c.scale ?? 1 / Math.sqrt(c.depth);
  const shape = [...c.lead, c.keyHeads * c.group, c.queries, c.width];
  return ndArray(shape, (index) => {
    const lead = index.slice(0, -3);
    const [head = 0, query = 0, column = 0] = index.slice(-3);
    const keyHead = Math.floor(head / c.group);
    let sum = 0;
    let total = 0;
    for (let key = 0; key < c.keys; key++) {
      const place = [...lead, head, query, key];
      if (c.causal && key > query) continue;
      if (kind.startsWith("bool") && broadcastAt(mask as NdArray, place) === 0) continue;
      let score = 0;
      for (let d = 0; d < c.depth; d++) {
        score += at(q as NdArray, [...lead, head, query, d]) * at(k as NdArray, [...lead, keyHead, key, d]) * scale;
      }
      if (kind === "float") score += broadcastAt(mask as NdArray, place);
      if (kind === "bool and bias") score += broadcastAt(bias as NdArray, place);
      const weight = Math.exp(score);
      sum += weight;
      total += weight * at(v as NdArray, [...lead, keyHead, key, column]);
    }
    return sum === 0 ? 0 : total / sum;
  });
}

const KINDS: readonly MaskKind[] = ["none", "bool", "float", "bool and bias"];

const whole = KINDS.map((kind): OpProperty => ({
  name: `attention, mask: ${kind}`,
  draws: cases(0, 5).map((c) => drawOf(c, kind, undefined)),
}));

const tiled = KINDS.map((kind): OpProperty => ({
  name: `attention in tiles of 3, mask: ${kind}`,
  draws: cases(1, 8).map((c) => drawOf(c, kind, 3)),
}));

testProperties([...whole, ...tiled], { runs: 8, webGpuRuns: 1 });
