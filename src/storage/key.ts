/** What a key may look like: the same in every store, so that one that works in tests works in a browser. */
import { OptionError } from "../base/errors.ts";

/** Twice as many bytes, where a file system needs upper case escaped, still fit a file name (255). */
const KEY_LENGTH_MAX = 120;

const KEY = /^[A-Za-z0-9._/:-]+$/;

/** @throws OptionError for a key that some store could not hold */
export function checkKey(operation: string, key: string): void {
  if (key.length <= KEY_LENGTH_MAX && KEY.test(key)) return;
  throw new OptionError(
    `${operation}: expected a key of 1 to ${KEY_LENGTH_MAX} letters, digits and ". _ / : -", found ${JSON.stringify(key)}`,
  );
}
