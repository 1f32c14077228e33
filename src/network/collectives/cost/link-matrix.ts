/** What links cost: a latency and a bandwidth for each ordered pair of ranks (the alpha-beta model, Hockney 1994). */
import { bytesOf } from "../../../base/bytes.ts";
import type { Bytes } from "../../../base/bytes.ts";
import { bytesPerMsOf, decodeLevels, latencyMsOf } from "../../wire/link-levels.ts";

/** One direction between two ranks. */
export interface LinkCost {
  /** From when a message is handed over until its first byte is there. */
  readonly latencyMs: number;
  readonly bytesPerMs: number;
}

/** `links[from][to]`; of a rank to itself it is not read. */
export interface LinkMatrix {
  readonly links: readonly (readonly LinkCost[])[];
}

/** The same cost for all pairs. */
export function uniformMatrix(size: number, cost: LinkCost): LinkMatrix {
  const row = new Array<LinkCost>(size).fill(cost);
  return { links: new Array<readonly LinkCost[]>(size).fill(row) };
}

/** What a room's levels say of its `size` members; null where the text is not one of so many. */
export function matrixOfLevels(text: string, size: number): LinkMatrix | null {
  const levels = decodeLevels(text, size);
  if (levels === null) return null;
  const links = levels.map((row) =>
    row.map(({ latency, bandwidth }) => ({ latencyMs: latencyMsOf(latency), bytesPerMs: bytesPerMsOf(bandwidth) })),
  );
  return { links };
}

/** The cost of one direction. */
export function costOf({ links }: LinkMatrix, from: number, to: number): LinkCost {
  return links[from]?.[to] ?? { latencyMs: 0, bytesPerMs: Infinity };
}

/** A rank's row as it measured it, to be gathered by all: two float32 a link. */
export function encodeRow(row: readonly LinkCost[]): Bytes {
  return bytesOf(Float32Array.from(row.flatMap(({ latencyMs, bytesPerMs }) => [latencyMs, bytesPerMs])));
}

/** All rows, one after another. Every rank gets the same numbers, and so makes the same choices. */
export function decodeRows(bytes: Bytes, size: number): LinkMatrix {
  const numbers = new Float32Array(bytes.slice().buffer);
  const links = Array.from({ length: size }, (_, from) =>
    Array.from({ length: size }, (_, to) => {
      const at = 2 * (from * size + to);
      return { latencyMs: numbers[at] ?? 0, bytesPerMs: numbers[at + 1] ?? Infinity };
    }),
  );
  return { links };
}
