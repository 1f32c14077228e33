import { ShapeError } from "../../../base/errors.ts";
import { formatShape } from "../../layout/shape.ts";
import { sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { arranged, contractPair } from "./contract-pair.ts";
import type { Label, Labelled } from "./contract-pair.ts";
import { diagonal } from "./diagonal.ts";
import { parseEquation } from "./einsum-equation.ts";

/**
 * Sums of products after Einstein: "ij,jk->ik" is the matrix product. Letters that the output has not are summed over;
 * one that an operand has twice takes its diagonal; "..." stands for further axes, which broadcast, as axes of size 1
 * do. Without "->" the output has all letters that occur once, in the order of the alphabet. Any number of operands.
 *
 * Lowers to permutations and batched matrix products, pair by pair: always that whose product is the least work, then
 * the smallest. Floats accumulate in float32. @throws OptionError, ShapeError
 */
export function einsum(equation: string, ...operands: readonly Tensor[] | readonly [readonly Tensor[]]): Tensor {
  const [first] = operands;
  const tensors = Array.isArray(first) ? (first as readonly Tensor[]) : (operands as readonly Tensor[]);
  const { inputs, output } = parseEquation(equation, tensors.map(({ shape }) => shape)); // prettier-ignore
  const labelled = tensors.map((x, i) => withDistinctLabels(x, inputs[i] ?? []));
  const sizes = sizesOf(equation, labelled);
  const rest = labelled.map((operand) => withoutBroadcast(operand, sizes));
  while (rest.length > 1) {
    const [i, j] = cheapestPair(rest, output, sizes);
    const [a, b] = [rest[i], rest[j]] as [Labelled, Labelled];
    const others = rest.filter((_, k) => k !== i && k !== j);
    const kept = keptLabels(others, output);
    rest.splice(0, rest.length, ...others, contractPair(summed(a, kept, b), summed(b, kept, a), kept));
  }
  const [last] = rest as [Labelled];
  return arranged(summed(last, new Set(output)), output);
}

/** One axis for each label: of those that share one, the diagonal, at the end. */
function withDistinctLabels(x: Tensor, labels: readonly Label[]): Labelled {
  const i = labels.findIndex((label, place) => labels.indexOf(label) !== place);
  const label = labels[i];
  if (label === undefined) return { x, labels };
  const dim1 = labels.indexOf(label);
  const [m, n] = [sizeOf(x.shape, dim1), sizeOf(x.shape, i)];
  if (m !== n)
    throw new ShapeError(`einsum: expected axes ${dim1} and ${i} of one size, found ${formatShape(x.shape)}`);
  const rest = labels.filter((_, place) => place !== dim1 && place !== i);
  return withDistinctLabels(diagonal(x, { dim1, dim2: i }), [...rest, label]);
}

function sizesOf(equation: string, operands: readonly Labelled[]): Map<Label, number> {
  const sizes = new Map<Label, number>();
  for (const { x, labels } of operands) {
    for (const [axis, label] of labels.entries()) {
      const [known, size] = [sizes.get(label) ?? 1, sizeOf(x.shape, axis)];
      if (known !== size && known !== 1 && size !== 1) {
        const shapes = operands.map((operand) => formatShape(operand.x.shape)).join(", ");
        throw new ShapeError(`einsum: expected axes of one letter to have one size in "${equation}", found ${shapes}`);
      }
      sizes.set(label, known === 1 ? size : known);
    }
  }
  return sizes;
}

/** Without the axes of size 1 that others have larger: multiplication broadcasts them. */
function withoutBroadcast({ x, labels }: Labelled, sizes: ReadonlyMap<Label, number>): Labelled {
  const drops = labels.flatMap((label, axis) => (x.shape[axis] === 1 && sizes.get(label) !== 1 ? [axis] : []));
  if (drops.length === 0) return { x, labels };
  return { x: x.squeeze(drops), labels: labels.filter((_, axis) => !drops.includes(axis)) };
}

function keptLabels(others: readonly Labelled[], output: readonly Label[]): Set<Label> {
  return new Set([...output, ...others.flatMap(({ labels }) => labels)]);
}

/** Summed over what nobody else has: neither `kept` nor the partner. */
function summed(operand: Labelled, kept: ReadonlySet<Label>, partner?: Labelled): Labelled {
  const lone = operand.labels.flatMap((label, axis) =>
    kept.has(label) || partner?.labels.includes(label) === true ? [] : [axis],
  );
  if (lone.length === 0) return operand;
  return { x: operand.x.sum(lone), labels: operand.labels.filter((_, axis) => !lone.includes(axis)) };
}

function cheapestPair(
  operands: readonly Labelled[],
  output: readonly Label[],
  sizes: ReadonlyMap<Label, number>,
): [number, number] {
  const count = (labels: Iterable<Label>): number => [...labels].reduce((product, label) => product * (sizes.get(label) ?? 1), 1); // prettier-ignore
  let best: [number, number] = [0, 1];
  let [leastWork, leastSize] = [Infinity, Infinity];
  for (const [i, a] of operands.entries()) {
    for (const [j, b] of operands.entries()) {
      if (j <= i) continue;
      const others = operands.filter((_, k) => k !== i && k !== j);
      const kept = keptLabels(others, output);
      const all = new Set([...a.labels, ...b.labels]);
      const [work, size] = [count(all), count([...all].filter((label) => kept.has(label)))];
      if (work > leastWork || (work === leastWork && size >= leastSize)) continue;
      [leastWork, leastSize] = [work, size];
      best = [i, j];
    }
  }
  return best;
}
