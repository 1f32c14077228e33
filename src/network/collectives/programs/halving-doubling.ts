/**
 * Recursive halving and doubling (Rabenseifner, 2004): the bytes of a ring in log2(n) hops, for any n.
 *
 * With p the largest power of two up to n, the first n - p pairs of ranks act as one: the odd rank of a pair hands all
 * it has to the even one before, and gets its result after. So sizes that are powers of two are the cheap ones.
 */
import { planHop, ranksOf } from "../program.ts";
import type { Program } from "../program.ts";

type Hops = Program["hops"][number][];

/** What takes part: `p` places, each a rank, for some of which a second rank stands aside. */
interface Fold {
  readonly size: number;
  readonly places: number;
  rankAt(place: number): number;
  /** The rank that stands aside for the one at this place, or null. */
  asideOf(place: number): number | null;
  /** Chunks that the place owns in the middle. */
  chunksOf(place: number): readonly number[];
}

/** Reduce-scatter: chunk r ends at rank r. */
export function halvingReduceScatter(size: number): Program {
  const fold = foldOf(size, "ranks");
  const back = planHop(size, (plan) => {
    eachAside(fold, (rank, aside) => plan.copy(aside, rank, aside));
  });
  return { name: "halving-reduce-scatter", size, chunks: size, hops: [...halving(fold), ...ifFolded(fold, back)] };
}

/** All-gather: chunk r goes from rank r to everybody. */
export function doublingAllGather(size: number): Program {
  const fold = foldOf(size, "ranks");
  const into = planHop(size, (plan) => eachAside(fold, (rank, aside) => plan.copy(aside, aside, rank)));
  const out = planHop(size, (plan) => {
    eachAside(fold, (rank, aside) => {
      for (const chunk of ranksOf(size)) if (chunk !== aside) plan.copy(chunk, rank, aside);
    });
  });
  const hops = [...ifFolded(fold, into), ...doubling(fold), ...ifFolded(fold, out)];
  return { name: "doubling-all-gather", size, chunks: size, hops };
}

/** All-reduce over p chunks: 2(p-1)/p of the buffer in 2 log2(p) hops; ranks of pairs move a buffer more each. */
export function halvingAllReduce(size: number): Program {
  const fold = foldOf(size, "places");
  const out = planHop(size, (plan) => {
    eachAside(fold, (rank, aside) => {
      for (const chunk of ranksOf(fold.places)) plan.copy(chunk, rank, aside);
    });
  });
  const hops = [...halving(fold), ...doubling(fold), ...ifFolded(fold, out)];
  return { name: "halving-all-reduce", size, chunks: fold.places, hops };
}

function foldOf(size: number, chunks: "ranks" | "places"): Fold {
  const places = 2 ** Math.floor(Math.log2(size));
  const pairs = size - places;
  const rankAt = (place: number): number => (place < pairs ? 2 * place : place + pairs);
  const asideOf = (place: number): number | null => (place < pairs ? 2 * place + 1 : null);
  const chunksOf = (place: number): number[] => {
    const aside = asideOf(place);
    if (chunks === "places") return [place];
    return aside === null ? [rankAt(place)] : [rankAt(place), aside];
  };
  return { size, places, rankAt, asideOf, chunksOf };
}

function eachAside({ places, rankAt, asideOf }: Fold, visit: (rank: number, aside: number) => void): void {
  for (const place of ranksOf(places)) {
    const aside = asideOf(place);
    if (aside !== null) visit(rankAt(place), aside);
  }
}

function ifFolded({ size, places }: Fold, hop: Hops[number]): Hops {
  return size > places ? [hop] : [];
}

/** Pairs fold; then at distance p/2, p/4, ... 1 each gives away the half that its partner keeps. */
function halving(fold: Fold): Hops {
  const { size, places, rankAt } = fold;
  const all = ranksOf(places).flatMap(fold.chunksOf);
  const into = planHop(size, (plan) => {
    eachAside(fold, (rank, aside) => {
      for (const chunk of all) plan.reduce(chunk, [rank, aside], rank);
    });
  });
  const hops = ifFolded(fold, into);
  for (let distance = places / 2; distance >= 1; distance /= 2) {
    hops.push(
      planHop(size, (plan) => {
        for (const place of ranksOf(places)) {
          const pair = [rankAt(place), rankAt(place ^ distance)].sort((a, b) => a - b);
          for (const chunk of blockOf(fold, place, distance)) plan.reduce(chunk, pair, rankAt(place));
        }
      }),
    );
  }
  return hops;
}

/** At distance 1, 2, ... p/2 partners exchange all that they have. */
function doubling(fold: Fold): Hops {
  const { size, places, rankAt } = fold;
  const hops: Hops = [];
  for (let distance = 1; distance < places; distance *= 2) {
    hops.push(
      planHop(size, (plan) => {
        for (const place of ranksOf(places)) {
          const partner = place ^ distance;
          for (const chunk of blockOf(fold, partner, distance)) plan.copy(chunk, rankAt(partner), rankAt(place));
        }
      }),
    );
  }
  return hops;
}

/** The chunks of the `length` places around `place` that share its higher bits. */
function blockOf({ chunksOf }: Fold, place: number, length: number): number[] {
  const first = place - (place % length);
  return ranksOf(length).flatMap((at) => [...chunksOf(first + at)]);
}
