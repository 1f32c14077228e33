/**
 * All-reduce for members that are near one another in groups (tabs of a device, machines of a network): what crosses
 * between groups is the buffer once each way and group, whatever their sizes.
 */
import { planHop, ranksOf } from "../program.ts";
import type { Program } from "../program.ts";

/**
 * Reduce-scatter inside each group, all-reduce across among those that own the same part, all-gather inside.
 *
 * With m the smallest group's size, a part of 1/m belongs to one rank of each group, and each group finishes its own
 * piece of it. Four hops. `groups`: ranks, each in exactly one.
 */
export function twoLevelAllReduce(groups: readonly (readonly number[])[]): Program {
  const size = groups.flat().length;
  const parts = Math.min(...groups.map((group) => group.length));
  const owner = (group: readonly number[], part: number): number => group[part] ?? -1;
  const chunkOf = (part: number, piece: number): number => part * groups.length + piece;
  const eachChunk = (visit: (part: number, piece: number, chunk: number) => void): void => {
    for (const part of ranksOf(parts)) {
      for (const piece of groups.keys()) visit(part, piece, chunkOf(part, piece));
    }
  };
  const ownersOf = (part: number): number[] => groups.map((group) => owner(group, part));
  const hops = [
    planHop(size, (plan) => {
      eachChunk((part, _, chunk) => {
        for (const group of groups) if (group.length > 1) plan.reduce(chunk, group, owner(group, part));
      });
    }),
    planHop(size, (plan) => {
      eachChunk((part, piece, chunk) => {
        if (groups.length > 1) plan.reduce(chunk, ownersOf(part), ownersOf(part)[piece] ?? -1);
      });
    }),
    planHop(size, (plan) => {
      eachChunk((part, piece, chunk) => {
        for (const to of ownersOf(part)) plan.copy(chunk, ownersOf(part)[piece] ?? -1, to);
      });
    }),
    planHop(size, (plan) => {
      eachChunk((part, _, chunk) => {
        for (const group of groups) for (const to of group) plan.copy(chunk, owner(group, part), to);
      });
    }),
  ];
  return { name: "two-level-all-reduce", size, chunks: parts * groups.length, hops };
}
