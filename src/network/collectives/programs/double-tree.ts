/**
 * Two binary trees at once, each for half of the buffer (Sanders, Speck & Träff, 2009): a rank that is inside one tree
 * is a leaf of the other, so all send and receive about the same. log2(n) hops each way; in slices a pipeline.
 */
import { planHop, ranksOf, sequence } from "../program.ts";
import type { Program } from "../program.ts";

/** For each rank its parent; null for the root. */
type Tree = readonly (number | null)[];

/** All-reduce over two chunks, one a tree: up to its root, then down again. */
export function doubleTreeAllReduce(size: number): Program {
  const up = { name: "up", size, chunks: 2, hops: treeHops(size, doubleTrees(size), "up") };
  const down = { name: "down", size, chunks: 2, hops: treeHops(size, doubleTrees(size), "down") };
  return sequence("double-tree-all-reduce", up, down);
}

/** Broadcast of two chunks from `root`: it hands each to its tree, and stands in neither tree's way. */
export function doubleTreeBroadcast(size: number, root: number): Program {
  const trees = doubleTrees(size).map((tree) => tree.map((parent, rank) => (rank === root ? null : (parent ?? root))));
  return { name: "double-tree-broadcast", size, chunks: 2, hops: treeHops(size, trees, "down") };
}

/** Reduce of two chunks to `root`: the broadcast backwards. */
export function doubleTreeReduce(size: number, root: number): Program {
  const trees = doubleTrees(size).map((tree) => tree.map((parent, rank) => (rank === root ? null : (parent ?? root))));
  return { name: "double-tree-reduce", size, chunks: 2, hops: treeHops(size, trees, "up") };
}

function doubleTrees(size: number): Tree[] {
  const first = ranksOf(size).map((rank) => parentOf(rank, size));
  // The mirror image for even sizes, moved by one for odd ones: leaves (odd ranks) fall on inner ranks (even ones).
  const image = (rank: number): number => (size % 2 === 0 ? size - 1 - rank : (rank + 1) % size);
  const second: (number | null)[] = new Array<number | null>(size).fill(null);
  for (const [rank, parent] of first.entries()) second[image(rank)] = parent === null ? null : image(parent);
  return [first, second];
}

/** In the in-order tree over 0 .. size-1, whose leaves are the odd ranks; rank 0 is the root. */
function parentOf(rank: number, size: number): number | null {
  if (rank === 0) return null;
  const lowest = rank & -rank;
  const above = (rank - lowest) | (lowest << 1);
  return above < size ? above : rank - lowest;
}

/** Up: the deepest ranks send first. Down: the roots. */
function treeHops(size: number, trees: readonly Tree[], direction: "up" | "down"): Program["hops"] {
  const depths = trees.map((tree) => ranksOf(size).map((rank) => depthOf(tree, rank)));
  const deepest = Math.max(0, ...depths.flat());
  const levels = ranksOf(deepest).map((level) => (direction === "up" ? deepest - level : level + 1));
  return levels.map((level) =>
    planHop(size, (plan) => {
      for (const [chunk, tree] of trees.entries()) {
        const children = ranksOf(size).filter((rank) => depths[chunk]?.[rank] === level);
        for (const [parent, own] of byParent(tree, children)) {
          const inOrder = [...own, parent].sort((a, b) => a - b);
          if (direction === "up") plan.reduce(chunk, inOrder, parent);
          else for (const child of own) plan.copy(chunk, parent, child);
        }
      }
    }),
  );
}

function depthOf(tree: Tree, rank: number): number {
  const parent = tree[rank] ?? null;
  return parent === null ? 0 : 1 + depthOf(tree, parent);
}

function byParent(tree: Tree, children: readonly number[]): Map<number, number[]> {
  const found = new Map<number, number[]>();
  for (const child of children) {
    const parent = tree[child] ?? null;
    if (parent !== null) found.set(parent, [...(found.get(parent) ?? []), child]);
  }
  return found;
}
