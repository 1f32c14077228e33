/** What a node of attention is, by its inputs: see `attention.ts`. */
import { assert, present } from "../../base/assert.ts";
import { InvariantError, ShapeError } from "../../base/errors.ts";
import type { Attention } from "../kernels/attention/attention.ts";
import { formatShape, sameShape } from "../layout/shape.ts";
import * as check from "./check.ts";
import type { AttentionPrimitive, Node, Shape } from "./ir.ts";

type Part = AttentionPrimitive["part"];

/** @throws ShapeError, OptionError for what does not go together; InvariantError for a wrong number of inputs */
export function inferAttention(primitive: AttentionPrimitive, inputs: readonly Node[]): Pick<Node, "shape" | "dtype"> {
  const { part } = primitive;
  const arity = (part === "forward" ? 3 : 5) + Number(primitive.hasMask) + Number(primitive.hasFactor);
  if (inputs.length !== arity) {
    throw new InvariantError(`attention ${part}: expected ${arity} inputs, found ${inputs.length}`);
  }
  const { mask, factor } = pairInputs({ primitive, inputs });
  for (const x of inputs) check.checkDType("attention", x, x === mask ? ["bool", "float32"] : ["float32"]);
  checkOperands(inputs);
  const sizes = attentionOf({ primitive, inputs });
  for (const extra of [mask, factor]) if (extra !== null) checkRepeats(extra.shape, sizes);
  if (part !== "forward") checkKnown(part, inputs.slice(3, 5), sizes);
  return { shape: shapeOf(part, sizes, mask), dtype: "float32" };
}

function checkOperands([q, k, v]: readonly Node[]): void {
  const shapes = [q, k, v].map((x) => present(x, "attention: queries, keys and values").shape);
  const [[batch = 0, , , depth = 0] = [], [, keys = 0] = [], [, , width = 0] = []] = shapes;
  const fits = q?.shape.length === 4 && sameShape(shapes[1] ?? [], [batch, keys, depth]);
  if (fits && sameShape(shapes[2] ?? [], [batch, keys, width]) && !shapes.flat().includes(0)) return;
  const found = shapes.map(formatShape).join(", ");
  throw new ShapeError(`attention: expected [B, G, T, D], [B, S, D] and [B, S, E] without empty axes, found ${found}`);
}

function checkRepeats(shape: Shape, { batch, group, queries, keys }: Attention): void {
  const whole = [batch, group, queries, keys];
  if (shape.length === 4 && shape.every((size, axis) => size === 1 || size === whole[axis])) return;
  throw new ShapeError(
    `attention: expected a shape that repeats to ${formatShape(whole)}, found ${formatShape(shape)}`,
  );
}

/** Checks what arrives, and what an earlier part gave. */
function checkKnown(part: Part, known: readonly Node[], { batch, group, queries, depth, width }: Attention): void {
  const columns = [width, part === "gradQuery" ? width + 1 : depth + 2];
  for (const [i, { shape }] of known.entries()) {
    const wanted = [batch, group, queries, columns[i] ?? 0];
    if (sameShape(shape, wanted)) continue;
    throw new ShapeError(`attention ${part}: expected ${formatShape(wanted)}, found ${formatShape(shape)}`);
  }
}

function shapeOf(part: Part, sizes: Attention, mask: Node | null): Shape {
  const { batch, group, queries, keys, depth, width } = sizes;
  switch (part) {
    case "forward":
      return [batch, group, queries, width + 1];
    case "gradQuery":
      return [batch, group, queries, depth + 2];
    case "gradKeyValue":
      return [batch, keys, depth + width];
    case "gradMask":
      return present(mask, "attention: a mask to differentiate by").shape;
  }
}

/** Sizes and options of a node of attention. */
export function attentionOf({ primitive, inputs }: Pick<Node, "primitive" | "inputs">): Attention {
  assert(primitive.kind === "attention", `attentionOf: expected a node of attention, found ${primitive.kind}`);
  const [q, k, v] = inputs;
  const [batch = 1, group = 1, queries = 1, depth = 1] = q?.shape ?? [];
  const { scale, causal, offset } = primitive;
  return { batch, group, queries, keys: k?.shape[1] ?? 1, depth, width: v?.shape[2] ?? 1, scale, causal, offset };
}

/** The inputs that are read for each pair of a query and a key. */
export interface PairInputs {
  readonly mask: Node | null;
  readonly factor: Node | null;
}

/** Those of a node of attention; others have none. */
export function pairInputs({ primitive, inputs }: Pick<Node, "primitive" | "inputs">): PairInputs {
  if (primitive.kind !== "attention") return { mask: null, factor: null };
  const { hasMask, hasFactor } = primitive;
  const factor = hasFactor ? (inputs.at(-1) ?? null) : null;
  return { mask: hasMask ? (inputs.at(hasFactor ? -2 : -1) ?? null) : null, factor };
}
