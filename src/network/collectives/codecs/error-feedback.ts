/**
 * What a codec left out of a contribution is added to the next one (Seide et al., 2014; Karimireddy et al., 2019):
 * nothing of a gradient is lost, it only comes later.
 */
import type { Codec, CodecPlace } from "./codec.ts";

type Floats = Float32Array<ArrayBuffer>;

interface Memory {
  /** The operation that it was last packed for, what was left over before it, and after. */
  readonly operation: number;
  readonly before: Floats | null;
  readonly after: Floats;
}

/**
 * A codec with a memory, for one buffer that is reduced again and again: another buffer needs another one. An operation
 * that is done again under its number, after a failure, begins from the same remainder as before.
 */
export function withErrorFeedback(codec: Codec): Codec {
  const memories = new Map<number, Memory>();
  return {
    name: `${codec.name} with error feedback`,
    encode(values, place) {
      // Sums belong to nobody: what they lose is lost.
      if (!place.isOwn) return codec.encode(values, place);
      const before = remainderFor(memories.get(place.chunk), place, values.length);
      const corrected = before === null ? values : values.map((value, at) => value + (before[at] ?? 0));
      const bytes = codec.encode(corrected, place);
      const sent = codec.decode(bytes);
      const after = corrected.map((value, at) => value - (sent[at] ?? 0));
      memories.set(place.chunk, { operation: place.operation, before, after });
      return bytes;
    },
    decode: (bytes) => codec.decode(bytes),
  };
}

function remainderFor(memory: Memory | undefined, { operation }: CodecPlace, length: number): Floats | null {
  if (memory === undefined || memory.after.length !== length) return null;
  return memory.operation === operation ? memory.before : memory.after;
}
