/** What a loader and its workers say to each other, and how errors cross. */
import { CorruptDataError, HearthError, OptionError, ShapeError, UnsupportedError } from "../../../base/errors.ts";

export type ToWorker =
  | { readonly kind: "start"; readonly options: unknown }
  | { readonly kind: "load"; readonly id: number; readonly indices: readonly number[] };

export type FromWorker =
  | { readonly kind: "ready"; readonly length: number }
  | { readonly kind: "batch"; readonly id: number; readonly batch: unknown }
  /** `id` is null when the dataset could not be made. */
  | { readonly kind: "failed"; readonly id: number | null; readonly code: string; readonly message: string };

/** An error as a message. */
export function failure(id: number | null, error: unknown): FromWorker {
  const code = error instanceof HearthError ? error.code : "option";
  return { kind: "failed", id, code, message: error instanceof Error ? error.message : String(error) };
}

/** The error of a message, of its class again. */
export function errorOf(code: string, message: string): HearthError {
  switch (code) {
    case "corrupt-data":
      return new CorruptDataError(message);
    case "unsupported":
      return new UnsupportedError(message);
    case "shape":
      return new ShapeError(message);
    default:
      return new OptionError(message);
  }
}
