/** All-to-all in n-1 steps, in each of which every rank sends to one and hears from one: nobody is flooded. */
import { planHop, ranksOf } from "../program.ts";
import type { Program } from "../program.ts";
import { edgeChunk } from "./direct.ts";

/** In step h rank r sends to r+h. Each rank sends what it has for the others, once; chunks as in `edgeChunk`. */
export function pairwiseAllToAll(size: number): Program {
  const hops = ranksOf(size - 1).map((step) =>
    planHop(size, (plan) => {
      for (const from of ranksOf(size)) {
        const to = (from + step + 1) % size;
        plan.copy(edgeChunk({ from, to }, size), from, to);
      }
    }),
  );
  return { name: "pairwise-all-to-all", size, chunks: size * size, hops, inStep: true };
}
