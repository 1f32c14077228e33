/** Whether a told layout can be what a state's bytes are: it comes from other machines, and files are written by it. */
import { CorruptDataError } from "../../base/errors.ts";
import type { StateLayout, TensorLayout } from "../../network/wire/state-record.ts";

/**
 * Checks that tensors are float32 and lie end to end from 0, each under a name of its own, and returns how many
 * parameters they are.
 * @throws CorruptDataError naming the tensor or vector
 */
export function checkStateLayout({ tensors, optimizer }: StateLayout): number {
  if (tensors.length === 0) throw new CorruptDataError("state layout: expected tensors, found none");
  const names = new Set<string>();
  let end = 0;
  for (const tensor of tensors) {
    checkName(names, "tensor", tensor.name);
    end = endOf(tensor, end);
  }
  const vectors = new Set<string>();
  for (const vector of optimizer.vectors) checkName(vectors, "optimizer vector", vector);
  return end;
}

function checkName(seen: Set<string>, what: string, name: string): void {
  if (name === "") throw new CorruptDataError(`state layout: expected a name for each ${what}, found an empty one`);
  if (seen.has(name)) throw new CorruptDataError(`state layout: expected one ${what} "${name}", found two`);
  seen.add(name);
}

function endOf({ name, dtype, shape, offset }: TensorLayout, end: number): number {
  const what = `state layout: tensor "${name}"`;
  if (dtype !== "float32") throw new CorruptDataError(`${what}: expected dtype float32, found ${dtype}`);
  if (offset !== end) {
    const fault = offset < end ? "an overlap" : "a gap";
    throw new CorruptDataError(`${what}: expected offset ${end}, found ${offset}: ${fault}`);
  }
  const next = end + shape.reduce((product, size) => product * size, 1);
  if (!Number.isSafeInteger(next)) {
    throw new CorruptDataError(`${what}: expected an end that can be counted, found ${next}`);
  }
  return next;
}
