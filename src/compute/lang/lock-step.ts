/**
 * The lanes of a workgroup in lock step, on one thread: a generator each, that yields wherever lanes wait for each other.
 *
 * A lane yields the number of the site it has reached; all must reach the same. At a subgroup operation it has left its
 * value in `values[lane]` before, and is told the result.
 */
import { assert } from "../../base/assert.ts";
import { InvariantError } from "../../base/errors.ts";
import type { ScalarType, SubgroupOp } from "./kernel.ts";
import type { Races } from "./races.ts";
import { foldBinary, wrap } from "./scalar-functions.ts";

/** Where lanes wait. */
export type LockStepSite =
  | { readonly kind: "barrier" }
  | {
      readonly kind: "subgroup";
      readonly op: SubgroupOp;
      readonly type: ScalarType;
      readonly mask: number;
      readonly lane: number;
    };

/** One lane of one workgroup. */
type Run = (workgroup: number, lane: number) => Generator<number, void, number | undefined>;

const DONE = -1;

/** Runs a workgroup to its end, with a lane for each place in `values`. @throws InvariantError where lanes part */
export function runLockStep(
  run: Run,
  workgroup: number,
  sites: readonly LockStepSite[],
  values: number[],
  subgroupSize: number,
  races?: Races,
): void {
  const lanes = values.map((_, lane) => run(workgroup, lane));
  for (;;) {
    let place = DONE;
    for (const [lane, own] of lanes.entries()) {
      const { done, value } = own.next(values[lane]);
      const reached = done === true || value === undefined ? DONE : value;
      if (lane === 0) place = reached;
      else if (place !== reached) throw new InvariantError(partingOf(workgroup, place, lane, reached));
    }
    if (place === DONE) return;
    const site = sites[place];
    assert(site !== undefined, `workgroup ${workgroup}: expected a site below ${sites.length}, found ${place}`);
    if (site.kind === "barrier") races?.barrier();
    else exchange(site, values, subgroupSize);
  }
}

function partingOf(workgroup: number, place: number, lane: number, reached: number): string {
  const words = (at: number): string => (at === DONE ? "the end" : `site ${at}`);
  return `workgroup ${workgroup}: expected all lanes at ${words(place)}, found lane ${lane} at ${words(reached)}`;
}

/** Puts the results of a subgroup operation in the place of its operands. */
function exchange(site: LockStepSite & { kind: "subgroup" }, values: number[], subgroupSize: number): void {
  for (let start = 0; start < values.length; start += subgroupSize) {
    const own = values.slice(start, start + subgroupSize).map((value) => wrap(site.type, value));
    for (const [lane, value] of resultsOf(site, own).entries()) values[start + lane] = value;
  }
}

/** What each lane of one subgroup gets. Floats are added and multiplied in the order of lanes. */
function resultsOf(
  { op, type, mask, lane: from }: LockStepSite & { kind: "subgroup" },
  own: readonly number[],
): number[] {
  switch (op) {
    case "broadcastFirst":
      return own.map(() => own[0] ?? 0);
    case "broadcast": {
      const value = own[from];
      assert(value !== undefined, `broadcast: expected a lane below ${own.length}, found ${from}`);
      return own.map(() => value);
    }
    case "shuffleXor":
      return own.map((_, lane) => {
        const value = own[lane ^ mask];
        assert(value !== undefined, `shuffleXor: expected a lane below ${own.length}, found ${lane} ^ ${mask}`);
        return value;
      });
    default: {
      const fold = op === "product" ? "multiply" : op;
      const all = own.reduce((a, b) => Number(foldBinary(fold, type, a, b)));
      return own.map(() => all);
    }
  }
}
