import { UnsupportedError } from "../../../base/errors.ts";

/** Is not there. @throws UnsupportedError always: it says what to use instead */
export function ctcLoss(..._parts: unknown[]): never {
  throw new UnsupportedError(
    "ctcLoss: expected another loss, found one that is left out; align the labels with the frames and use crossEntropy for each frame, or predict the labels one after another with a decoder and crossEntropy",
  );
}
