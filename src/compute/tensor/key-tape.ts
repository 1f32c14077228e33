/** Random keys that were drawn once and have to come again: a recomputed dropout drops what the first one did. */
import { present } from "../../base/assert.ts";
import type { Tensor } from "./tensor.ts";

type Tape = { readonly mode: "record"; readonly keys: Tensor[] } | { readonly mode: "replay"; readonly keys: Tensor[] };

let tape: Tape | null = null;

function withTape<T>(next: Tape, fn: () => T): T {
  const before = tape;
  tape = next;
  try {
    return fn();
  } finally {
    tape = before;
  }
}

/** Runs `fn` (synchronous), and gives the keys that were drawn in it too. */
export function recordKeys<T>(fn: () => T): { result: T; keys: readonly Tensor[] } {
  const outer = tape;
  const keys: Tensor[] = [];
  const result = withTape({ mode: "record", keys }, fn);
  if (outer?.mode === "record") outer.keys.push(...keys);
  return { result, keys };
}

/** Runs `fn` (synchronous), in which the draws give `keys` again, in their order. */
export function replayKeys<T>(keys: readonly Tensor[], fn: () => T): T {
  return withTape({ mode: "replay", keys: [...keys] }, fn);
}

/** A key: the next one of the tape that is replayed, or what `draw` gives. */
export function nextKey(draw: () => Tensor): Tensor {
  if (tape?.mode === "replay") return present(tape.keys.shift(), "checkpoint: a key that was drawn the first time");
  const key = draw();
  tape?.keys.push(key);
  return key;
}
