/** The programs that are built in, by verb and name, and the contract of each verb. */
import {
  allGatherContract,
  allReduceContract,
  broadcastContract,
  exchangeContract,
  gatherContract,
  reduceContract,
  reduceScatterContract,
  scatterContract,
} from "./contracts.ts";
import type { Contract } from "./contracts.ts";
import { othersAfter, ranksOf } from "./program.ts";
import type { Program } from "./program.ts";
import * as direct from "./programs/direct.ts";
import { doubleTreeAllReduce, doubleTreeBroadcast, doubleTreeReduce } from "./programs/double-tree.ts";
import { doublingAllGather, halvingAllReduce, halvingReduceScatter } from "./programs/halving-doubling.ts";
import { pairwiseAllToAll } from "./programs/pairwise.ts";
import { ringAllGather, ringAllReduce, ringBroadcast, ringReduce, ringReduceScatter } from "./programs/ring.ts";
import * as tree from "./programs/tree.ts";
import { twoLevelAllReduce } from "./programs/two-level.ts";

/** Verbs that have more than one program. */
export type Verb =
  "all-reduce" | "reduce-scatter" | "all-gather" | "broadcast" | "reduce" | "scatter" | "gather" | "all-to-all";

/** Names of built-in programs. Not every verb has all of them. */
export type AlgorithmName =
  "direct" | "one-shot" | "ring" | "halving-doubling" | "tree" | "double-tree" | "pairwise" | "two-level";

/** What a program is made for. */
export interface ProgramRequest {
  readonly size: number;
  /** Of verbs that have one. */
  readonly root: number;
  /** Ranks that are near one another, for two-level programs. */
  readonly groups: readonly (readonly number[])[];
}

/** Makes a program. */
export type ProgramMaker = (request: ProgramRequest) => Program;

/** The programs of each verb; the first is the default, but for all-reduces of little (see `GroupPrograms`). */
export const ALGORITHMS: Readonly<Record<Verb, Readonly<Partial<Record<AlgorithmName, ProgramMaker>>>>> = {
  "all-reduce": {
    direct: ({ size }) => direct.directAllReduce(size),
    "one-shot": ({ size }) => direct.oneShotAllReduce(size),
    ring: ({ size }) => ringAllReduce(size),
    "halving-doubling": ({ size }) => halvingAllReduce(size),
    tree: ({ size }) => tree.binomialAllReduce(size),
    "double-tree": ({ size }) => doubleTreeAllReduce(size),
    "two-level": ({ groups }) => twoLevelAllReduce(groups),
  },
  "reduce-scatter": {
    direct: ({ size }) => direct.directReduceScatter(size),
    ring: ({ size }) => ringReduceScatter(size),
    "halving-doubling": ({ size }) => halvingReduceScatter(size),
  },
  "all-gather": {
    direct: ({ size }) => direct.directAllGather(size),
    ring: ({ size }) => ringAllGather(size),
    "halving-doubling": ({ size }) => doublingAllGather(size),
  },
  broadcast: {
    tree: ({ size, root }) => tree.binomialBroadcast(size, root),
    direct: ({ size, root }) => direct.directBroadcast(size, root),
    ring: ({ size, root }) => ringBroadcast(size, root),
    "double-tree": ({ size, root }) => doubleTreeBroadcast(size, root),
  },
  reduce: {
    direct: ({ size, root }) => direct.directReduce(size, root),
    ring: ({ size, root }) => ringReduce(size, root),
    tree: ({ size, root }) => tree.binomialReduce(size, root),
    "double-tree": ({ size, root }) => doubleTreeReduce(size, root),
  },
  scatter: {
    direct: ({ size, root }) => direct.directScatter(size, root),
    tree: ({ size, root }) => tree.binomialScatter(size, root),
  },
  gather: {
    direct: ({ size, root }) => direct.directGather(size, root),
    tree: ({ size, root }) => tree.binomialGather(size, root),
  },
  "all-to-all": {
    pairwise: ({ size }) => pairwiseAllToAll(size),
    direct: ({ size }) => direct.directAllToAll(size),
  },
};

/** What a verb promises of a program with so many chunks. */
export function contractOf(verb: Verb, { size, root }: ProgramRequest, chunks: number): Contract {
  switch (verb) {
    case "all-reduce":
      return allReduceContract(size);
    case "reduce-scatter":
      return reduceScatterContract(size, chunks);
    case "all-gather":
      return allGatherContract(size, chunks);
    case "broadcast":
      return broadcastContract(root);
    case "reduce":
      return reduceContract(size, root);
    case "scatter":
      return scatterContract(size, root, chunks);
    case "gather":
      return gatherContract(size, root, chunks);
    case "all-to-all": {
      const edges = ranksOf(size).flatMap((from) => othersAfter(from, size).map((to) => ({ from, to })));
      return exchangeContract(size, edges);
    }
    default:
      verb satisfies never;
      return allReduceContract(size);
  }
}
