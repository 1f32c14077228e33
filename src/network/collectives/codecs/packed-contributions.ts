/** What somebody else has packed already, such as a GPU: the codec is asked for the rest alone. */
import { InvariantError } from "../../../base/errors.ts";
import type { Bytes } from "../../../base/bytes.ts";
import type { Codec } from "./codec.ts";

/**
 * `codec`, with the own contributions to one operation given by chunk, as it would have packed them itself. What a rank
 * sums up is packed by the codec, and so is a contribution that is not given.
 */
export function withPackedContributions(codec: Codec, operation: number, packed: ReadonlyMap<number, Bytes>): Codec {
  return {
    name: codec.name,
    encode(values, place) {
      if (place.operation !== operation) {
        const found = `found ${place.operation}`;
        throw new InvariantError(`${codec.name}: expected contributions to operation ${operation}, ${found}`);
      }
      return (place.isOwn ? packed.get(place.chunk) : undefined) ?? codec.encode(values, place);
    },
    decode: (bytes) => codec.decode(bytes),
  };
}
