/** Where a tensor is not 0. The result's shape depends on values: these read back, and are not for compiled functions. */
import { elementCount, rowMajorStrides } from "../../layout/shape.ts";
import { hostTensor } from "../host-tensor.ts";
import { broadcastShapes, sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { broadcastTo } from "./broadcast-to.ts";
import { indexSelect } from "./gather.ts";
import { readOnHost } from "./on-host.ts";

/** The indices of all elements that are not 0, in row-major order: [count, axes], int32. Reads `x` back. @throws OptionError inside compiled functions */
export async function nonzero(x: Tensor): Promise<Tensor> {
  const strides = rowMajorStrides(x.shape);
  return await readOnHost("nonzero", x, (values) => {
    const places = placesNotZero(values);
    const rank = strides.length;
    const data = new Int32Array(places.length * rank);
    places.forEach((place, i) => {
      for (const [axis, stride] of strides.entries()) {
        data[i * rank + axis] = Math.floor(place / stride) % sizeOf(x.shape, axis);
      }
    });
    return hostTensor({ shape: [places.length, rank], data });
  });
}

function placesNotZero(values: ArrayLike<number>): number[] {
  const places: number[] = [];
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) places.push(i);
  return places;
}

/** The elements of `x` where `mask` is not 0, which broadcast, in row-major order: [count]. Reads the mask back; gradients flow to `x`. @throws ShapeError, OptionError inside compiled functions */
export async function maskedSelect(x: Tensor, mask: Tensor): Promise<Tensor> {
  const shape = broadcastShapes("maskedSelect", x.shape, mask.shape);
  const whole = broadcastTo(x, shape).reshape([elementCount(shape)]);
  return await readOnHost("maskedSelect", broadcastTo(mask, shape), (values) =>
    indexSelect(whole, 0, hostTensor(Int32Array.from(placesNotZero(values)))),
  );
}
