import { OptionError, ShapeError } from "../../../base/errors.ts";
import { formatShape } from "../../layout/shape.ts";
import { broadcastShapes } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { broadcastTo } from "./broadcast-to.ts";
import { stack } from "./cat.ts";

/** Options of `meshgrid`. */
export interface MeshgridOptions {
  /** "ij": axis i of the results belongs to vector i. "xy": the first two are exchanged. */
  readonly indexing?: "ij" | "xy";
}

/** Vectors [n0], [n1], .. -> as many tensors [n0, n1, ..], each of which varies along its own axis. @throws ShapeError, OptionError */
export function meshgrid(vectors: readonly Tensor[], { indexing = "ij" }: MeshgridOptions = {}): Tensor[] {
  if (indexing !== "ij" && indexing !== "xy") {
    throw new OptionError(`meshgrid: expected the indexing ij or xy, found ${String(indexing)}`);
  }
  for (const { shape } of vectors) {
    if (shape.length > 1) throw new ShapeError(`meshgrid: expected vectors, found ${formatShape(shape)}`);
  }
  const sizes = vectors.map((vector) => vector.size);
  const grids = vectors.map((vector, i) => vector.reshape(sizes.map((_, axis) => (axis === i ? -1 : 1))).expand(sizes));
  return indexing === "xy" && grids.length > 1 ? grids.map((grid) => grid.transpose(0, 1)) : grids;
}

/** All combinations of one element of each vector, the last one fastest: [n0 * n1 * .., vectors]; of one vector, itself. @throws ShapeError */
export function cartesianProd(...vectors: readonly Tensor[]): Tensor {
  const [only] = vectors;
  if (only === undefined) throw new OptionError("cartesianProd: expected at least one vector, found none");
  if (vectors.length === 1) return only;
  return stack(
    meshgrid(vectors).map((grid) => grid.reshape([-1])),
    1,
  );
}

/** All in the shape that they broadcast to. @throws ShapeError */
export function broadcastTensors(...tensors: readonly Tensor[]): Tensor[] {
  const shape = tensors.reduce<readonly number[]>((all, x) => broadcastShapes("broadcastTensors", all, x.shape), []);
  return tensors.map((x) => broadcastTo(x, shape));
}
