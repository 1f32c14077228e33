/** Whom to leave out when members of a group cannot reach one another: a pure function of who says so of whom. */

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

function smallestCover(accusations: readonly Accusation[]): number[] {
  const weight = (rank: number): number => 1e5 * accusations.filter(({ accused }) => accused === rank).length + rank;
  let best: readonly number[] | null = null;
  const search = (chosen: readonly number[]): void => {
    if (best !== null && chosen.length > best.length) return;
    const open = accusations.find(({ accuser, accused }) => !chosen.includes(accuser) && !chosen.includes(accused));
    if (open === undefined) {
      const isSmaller = best === null || chosen.length < best.length;
      if (isSmaller || total(chosen, weight) > total(best ?? [], weight)) best = chosen;
      return;
    }
    search([...chosen, open.accused]);
    search([...chosen, open.accuser]);
  };
  search([]);
  return [...(best ?? [])];
}

function total(ranks: readonly number[], weight: (rank: number) => number): number {
  return ranks.reduce((sum, rank) => sum + weight(rank), 0);
}
