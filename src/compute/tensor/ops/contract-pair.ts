/** Two tensors with named axes, multiplied and summed over the names that are not kept. */
import { isFloat } from "../../layout/dtype.ts";
import { elementCount } from "../../layout/shape.ts";
import { promote } from "../promote.ts";
import { sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { batchedMatmul } from "./matmul.ts";

/** A name of an axis: equal names are one axis of the whole computation. */
export type Label = number;

/** A tensor and the names of its axes, all distinct. */
export interface Labelled {
  readonly x: Tensor;
  readonly labels: readonly Label[];
}

/**
 * The sum over all labels that are not in `kept` of a * b, with labels: those of both and kept, of a alone, of b alone.
 * A batched matrix product where something is summed, else an elementwise one. Every label of one alone is kept.
 */
export function contractPair(a: Labelled, b: Labelled, kept: ReadonlySet<Label>): Labelled {
  const shared = a.labels.filter((label) => b.labels.includes(label));
  const batch = shared.filter((label) => kept.has(label));
  const summed = shared.filter((label) => !kept.has(label));
  const left = a.labels.filter((label) => !shared.includes(label));
  const right = b.labels.filter((label) => !shared.includes(label));
  const labels = [...batch, ...left, ...right];
  const sizes = new Map(
    [a, b].flatMap(({ x, labels: own }) => own.map((label, i) => [label, sizeOf(x.shape, i)] as const)),
  );
  const of = (list: readonly Label[]): number[] => list.map((label) => sizes.get(label) ?? 1);
  const count = (list: readonly Label[]): number => elementCount(of(list));
  if (summed.length === 0 || !isFloat(promote(a.x.dtype, b.x.dtype))) {
    const ones = (list: readonly Label[]): number[] => list.map(() => 1);
    const x = arranged(a, [...batch, ...left, ...summed]).reshape([
      ...of([...batch, ...left]),
      ...ones(right),
      ...of(summed),
    ]);
    const y = arranged(b, [...batch, ...right, ...summed]).reshape([
      ...of(batch),
      ...ones(left),
      ...of([...right, ...summed]),
    ]);
    const product = x.mul(y);
    return { x: summed.length === 0 ? product : product.sum(summed.map((_, i) => labels.length + i)), labels };
  }
  const x = arranged(a, [...batch, ...left, ...summed]).reshape([count(batch), count(left), count(summed)]);
  const y = arranged(b, [...batch, ...summed, ...right]).reshape([count(batch), count(summed), count(right)]);
  return { x: batchedMatmul(x, y).reshape(of(labels)), labels };
}

/** The tensor with its axes in the order of `labels`. */
export function arranged({ x, labels }: Labelled, order: readonly Label[]): Tensor {
  return x.permute(order.map((label) => labels.indexOf(label)));
}
