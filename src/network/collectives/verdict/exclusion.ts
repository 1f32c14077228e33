/**
 * Whom to leave out when members of a group cannot reach one another: a pure function of who says so of whom, in whatever
 * order: members hear of it in their own.
 */

/** `accuser` cannot reach `accused` any more. */
export interface Accusation {
  readonly accuser: number;
  readonly accused: number;
}

/**
 * First all who are accused and accuse nobody who is left: the dead do not, nor the frozen. Then the smallest set such
 * that no two of the others accuse one another; among equals those that most accuse, then the highest ranks, which
 * joined last.
 */
export function excludedRanks(accusations: readonly Accusation[]): number[] {
  const silent = silentRanks(accusations);
  const open = accusations.filter(({ accuser, accused }) => !silent.includes(accuser) && !silent.includes(accused));
  return [...silent, ...smallestCover(open)].sort((a, b) => a - b);
}

/** Whoever accused nobody but those that are found silent is found silent as well. */
function silentRanks(accusations: readonly Accusation[]): number[] {
  const silent: number[] = [];
  for (;;) {
    const left = accusations.filter(({ accused }) => !silent.includes(accused));
    const accusers = new Set(left.map(({ accuser }) => accuser));
    const isLiving = ({ accuser }: Accusation): boolean => !silent.includes(accuser);
    const next = left.find((one) => isLiving(one) && !accusers.has(one.accused));
    if (next === undefined) return silent;
    silent.push(next.accused);
  }
}

/**
 * Branches on a rank that most accusations are about: either it goes, or all that it accuses or is accused by do. So
 * dense graphs, where everybody accuses everybody, are the quick ones.
 */
function smallestCover(accusations: readonly Accusation[]): number[] {
  const accusedBy = (rank: number): number => accusations.filter(({ accused }) => accused === rank).length;
  const accused = new Map(ranksIn(accusations).map((rank) => [rank, accusedBy(rank)]));
  const accusedIn = (ranks: readonly number[]): number =>
    ranks.reduce((sum, rank) => sum + (accused.get(rank) ?? 0), 0);
  const isBetter = (one: readonly number[], two: readonly number[]): boolean => {
    if (one.length !== two.length) return one.length < two.length;
    const more = accusedIn(one) - accusedIn(two);
    return more > 0 || (more === 0 && isHigher(one, two));
  };
  let best: readonly number[] | null = null;
  const search = (chosen: readonly number[], open: readonly Accusation[]): void => {
    if (best !== null && chosen.length + (open.length > 0 ? 1 : 0) > best.length) return;
    if (open.length === 0) {
      if (best === null || isBetter(chosen, best)) best = chosen;
      return;
    }
    const neighbours = neighboursIn(open);
    const [rank, others] = [...neighbours].reduce((one, two) => (two[1].size > one[1].size ? two : one));
    for (const gone of [[rank], [...others]]) {
      const left = open.filter(({ accuser, accused }) => !gone.includes(accuser) && !gone.includes(accused));
      search([...chosen, ...gone], left);
    }
  };
  search([], accusations);
  return [...(best ?? [])];
}

/** Whether the highest rank that only one of two sets of a size has is in the first. */
function isHigher(one: readonly number[], two: readonly number[]): boolean {
  const highest = (ranks: readonly number[], others: readonly number[]): number =>
    Math.max(-1, ...ranks.filter((rank) => !others.includes(rank)));
  return highest(one, two) > highest(two, one);
}

function ranksIn(accusations: readonly Accusation[]): number[] {
  return [...new Set(accusations.flatMap(({ accuser, accused }) => [accuser, accused]))];
}

function neighboursIn(accusations: readonly Accusation[]): Map<number, Set<number>> {
  const found = new Map<number, Set<number>>(ranksIn(accusations).map((rank) => [rank, new Set<number>()]));
  for (const { accuser, accused } of accusations) {
    found.get(accuser)?.add(accused);
    found.get(accused)?.add(accuser);
  }
  return found;
}
