import { OptionError } from "../../base/errors.ts";
import type { Shape } from "../../compute/compiler/ir.ts";
import { embedding } from "../../compute/tensor/ops/gather.ts";
import { where } from "../../compute/tensor/ops/where.ts";
import type { HostValues } from "../../compute/tensor/host-values.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { normalValues } from "./init.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/** Options of `Embedding`. */
export interface EmbeddingOptions {
  /** The row for places that hold nothing: zeros at first, and no gradient changes it. Negative ones count from the end. */
  readonly paddingIdx?: number | null;
}

/** A row of `weight` [count, width] for each index: [..] -> [.., width]. Rows start normal, with deviation 1. */
export class Embedding extends Module {
  weight: Parameter;
  readonly paddingIdx: number | null;

  /** @throws OptionError */
  constructor(count: number, width: number, { paddingIdx = null }: EmbeddingOptions = {}) {
    super();
    this.paddingIdx = checkedPadding("Embedding", paddingIdx, count);
    this.weight = new Parameter(tableValues([count, width], this.paddingIdx));
  }

  forward(indices: Tensor): Tensor {
    const rows = embedding(indices, this.weight);
    if (this.paddingIdx === null) return rows;
    return where(indices.eq(this.paddingIdx).unsqueeze(-1), rows.detach(), rows);
  }
}

/** @throws OptionError unless `paddingIdx` is null or a row; counted from 0 */
export function checkedPadding(name: string, paddingIdx: number | null, count: number): number | null {
  if (paddingIdx === null) return null;
  if (!Number.isInteger(paddingIdx) || paddingIdx < -count || paddingIdx >= count) {
    throw new OptionError(`${name}: expected a paddingIdx from ${-count} to ${count - 1}, found ${paddingIdx}`);
  }
  return paddingIdx < 0 ? paddingIdx + count : paddingIdx;
}

/** Normal rows, but for the padding's, of zeros. */
export function tableValues(shape: Shape, paddingIdx: number | null): HostValues {
  const values = normalValues(shape, 1);
  const [, width = 0] = shape;
  if (paddingIdx !== null) values.data.fill(0, paddingIdx * width, (paddingIdx + 1) * width);
  return values;
}
