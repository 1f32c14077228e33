/** Internal invariants. They stay on in production: a wrong state must stop, never train on. */
import { InvariantError } from "./errors.ts";

/** @throws InvariantError with `message` when `condition` is false. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** The value, or an InvariantError that says what was missing. */
export function present<T>(value: T | null | undefined, what: string): T {
  assert(value !== null && value !== undefined, `${what} is missing`);
  return value;
}
