import { OptionError, ShapeError } from "../../../base/errors.ts";
import { pad as padNode } from "../../compiler/graph.ts";
import { defineOp } from "../op.ts";
import { formatShape } from "../../layout/shape.ts";
import { sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { cat } from "./cat.ts";

/** `value` around x: `low` before and `high` after it, `interior` between neighbours, on each axis. */
export interface Padding {
  readonly low: readonly number[];
  readonly high: readonly number[];
  readonly interior: readonly number[];
  readonly value: number;
}

/** dL/dx = g where x went. */
const op = defineOp<[Tensor], Padding>({
  name: "pad",
  forward: ([x], padding) => padNode(x, padding),
  backward: ({ grad, inputs: [x], options: { low, interior } }) => {
    const ranges = x.shape.map((size, axis): [number, number, number] => {
      const start = low[axis] ?? 0;
      const step = (interior[axis] ?? 0) + 1;
      return [start, size === 0 ? start : start + (size - 1) * step + 1, step];
    });
    return [grad.slice(ranges)];
  },
});

/** As `pad`, with all that the graph offers. */
export function padWith(x: Tensor, padding: Padding): Tensor {
  const { low, high, interior } = padding;
  return [...low, ...high, ...interior].every((count) => count === 0) ? x : op([x], padding);
}

/** What the padding holds: a constant, the elements mirrored at the edge, the edge repeated, or those of the other end. */
export type PadMode = "constant" | "reflect" | "replicate" | "circular";

/**
 * `x` with elements around it: `padding` is [before, after] for the last axis, then for the one before it, as in
 * PyTorch; negative numbers take elements off. `mode` says which elements; a number there is their value, as is `value`
 * for mode "constant". @throws OptionError; ShapeError where an axis is too short to mirror or repeat
 */
export function pad(x: Tensor, padding: readonly number[], mode: PadMode | number = "constant", value = 0): Tensor {
  const rank = x.shape.length;
  if (padding.length % 2 !== 0 || padding.length > 2 * rank || !padding.every((n) => Number.isInteger(n))) {
    throw new OptionError(
      `pad: expected pairs of whole numbers for at most ${rank} axes, found ${formatShape(padding)}`,
    );
  }
  const low = x.shape.map((_, axis) => padding[2 * (rank - 1 - axis)] ?? 0);
  const high = x.shape.map((_, axis) => padding[2 * (rank - 1 - axis) + 1] ?? 0);
  if (x.shape.some((size, axis) => size + sizeOf(low, axis) + sizeOf(high, axis) < 0)) {
    throw new ShapeError(
      `pad: expected to take off no more than ${formatShape(x.shape)} has, found ${formatShape(padding)}`,
    );
  }
  return cut(extended(x, low.map(positive), high.map(positive), mode, value), low, high);
}

function positive(count: number): number {
  return Math.max(0, count);
}

/** Takes off what is negative. */
function cut(x: Tensor, low: readonly number[], high: readonly number[]): Tensor {
  const part = x.shape.map((size, axis): [number, number] => {
    const start = Math.max(0, -sizeOf(low, axis));
    return [start, Math.max(start, size - Math.max(0, -sizeOf(high, axis)))];
  });
  return x.slice(part);
}

function extended(
  x: Tensor,
  low: readonly number[],
  high: readonly number[],
  mode: PadMode | number,
  value: number,
): Tensor {
  switch (mode) {
    case "reflect":
    case "replicate":
    case "circular":
      return x.shape.reduce((out, _, axis) => extendAxis(out, axis, sizeOf(low, axis), sizeOf(high, axis), mode), x);
    default:
      if (mode !== "constant" && typeof mode !== "number") {
        throw new OptionError(`pad: expected the mode constant, reflect, replicate or circular, found ${String(mode)}`);
      }
      return padWith(x, { low, high, interior: x.shape.map(() => 0), value: mode === "constant" ? value : mode });
  }
}

/** Views of `x`, one after another: they become index arithmetic in whoever reads them. */
function extendAxis(x: Tensor, axis: number, low: number, high: number, mode: Exclude<PadMode, "constant">): Tensor {
  if (low === 0 && high === 0) return x;
  const size = sizeOf(x.shape, axis);
  const most =
    mode === "replicate" ? (size === 0 ? 0 : Number.POSITIVE_INFINITY) : mode === "circular" ? size : size - 1;
  if (low > most || high > most) {
    throw new ShapeError(
      `pad: expected at most ${Math.max(0, most)} elements for mode ${mode} at axis ${axis} of ${formatShape(x.shape)}, found ${low} and ${high}`,
    );
  }
  const part = (start: number, count: number): Tensor => x.narrow(axis, start, count);
  const edge = (start: number, count: number): Tensor =>
    part(start, 1).expand(x.shape.map((length, i) => (i === axis ? count : length)));
  const [before, after] = {
    reflect: () => [part(1, low).flip(axis), part(size - 1 - high, high).flip(axis)] as const,
    replicate: () => [edge(0, low), edge(size - 1, high)] as const,
    circular: () => [part(size - low, low), part(0, high)] as const,
  }[mode]();
  return cat([...(low > 0 ? [before] : []), x, ...(high > 0 ? [after] : [])], axis);
}
