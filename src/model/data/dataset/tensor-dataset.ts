/** A dataset of tensors in memory: example i is row i of each. */
import { OptionError, ShapeError } from "../../../base/errors.ts";
import { elementCount, formatShape } from "../../../compute/layout/shape.ts";
import type { HostValues } from "../../../compute/tensor/host-values.ts";
import { checkHostTensor, dtypeOfValues, valuesArray } from "../host-tensor.ts";
import type { HostTensor } from "../host-tensor.ts";
import type { BatchDataset, Dataset } from "./dataset.ts";
import { checkIndex } from "./subset.ts";

type Rows<Columns extends readonly HostValues[]> = { readonly [K in keyof Columns]: HostTensor };

/** Rows of tensors whose first axes are equally long. [n, ...] each; an example has [...] of each. */
export class TensorDataset<const Columns extends readonly HostValues[]>
  implements Dataset<Rows<Columns>>, BatchDataset<Rows<Columns>>
{
  readonly length: number;
  readonly #columns: readonly HostTensor[];

  /** @throws OptionError for no tensor; ShapeError for first axes that differ */
  constructor(...columns: Columns) {
    if (columns.length === 0) throw new OptionError("TensorDataset: expected at least one tensor, found none");
    for (const values of columns) checkHostTensor("TensorDataset", values);
    this.#columns = columns.map((values) => ({ ...values, dtype: dtypeOfValues(values) }));
    this.length = columns[0]?.shape[0] ?? 0;
    for (const { shape } of columns) {
      if (shape.length === 0 || shape[0] !== this.length) {
        throw new ShapeError(
          `TensorDataset: expected tensors with first axes of one length, found ${columns.map((column) => formatShape(column.shape)).join(", ")}`,
        );
      }
    }
  }

  /** Row `index` of each tensor, sharing its memory. @throws OptionError */
  get(index: number): Rows<Columns> {
    checkIndex("TensorDataset", index, this.length);
    const rows = this.#columns.map(({ shape, data, dtype }) => {
      const size = elementCount(shape.slice(1));
      return { shape: shape.slice(1), data: data.subarray(index * size, (index + 1) * size), dtype };
    });
    return rows as unknown as Rows<Columns>;
  }

  /** The rows at `indices` of each tensor, copied: [indices.length, ...] each. @throws OptionError */
  getBatch(indices: readonly number[]): Rows<Columns> {
    for (const index of indices) checkIndex("TensorDataset", index, this.length);
    const batches = this.#columns.map(({ shape, data, dtype }) => {
      const size = elementCount(shape.slice(1));
      const rows = valuesArray(dtype, indices.length * size);
      indices.forEach((index, row) => rows.set(data.subarray(index * size, (index + 1) * size), row * size));
      return { shape: [indices.length, ...shape.slice(1)], data: rows, dtype };
    });
    return batches as unknown as Rows<Columns>;
  }
}
