/**
 * Going along a row: the loops, and totals in parts.
 *
 * A float sum of more than two BLOCKs of steps is summed in blocks, and the blocks' sums are summed: the rounding error
 * grows with BLOCK + steps / BLOCK instead of with the steps.
 */
import { add, divide, i32, minimum, multiply, subtract } from "../../lang/build.ts";
import type { Expr, Statement } from "../../lang/kernel.ts";
import { elementCount } from "../../layout/shape.ts";
import { unflatten, type Index, type Loops } from "../grid.ts";
import type { Places } from "./copies.ts";
import type { RowSpace } from "./row-space.ts";

/** Steps that are summed one after another. */
const BLOCK = 256;
/** Shorter inner loops are no blocks of their own. */
const INNER_MIN = 8;

/** Totals, and how parts of them are summed apart. */
export interface Sums<T> {
  readonly totals: T;
  /** Whether there are sums that lose digits on long ways. */
  readonly areLong: boolean;
  /** Does `inside` with totals of its own, which are added to `totals` once. */
  inPart(totals: T, inside: (parts: T) => readonly Statement[]): readonly Statement[];
}

/**
 * What is done at a step: `index` has an entry an axis of the space. With `parts`, at each of these places: it is over a
 * variable that each of them has a value for.
 */
export type Step<T> = (index: Index, totals: T, parts?: readonly Places[]) => readonly Statement[];

/** `space` with `columns` of its innermost reduced axis taken as one. */
export function inColumns(space: RowSpace, columns: number, axis: number | undefined): RowSpace {
  if (columns === 1) return space;
  return { ...space, shape: space.shape.map((size, i) => (i === axis ? size / columns : size)) };
}

/** All steps one after another: a loop an axis. */
export function alongAlone<T>(
  space: RowSpace,
  row: Index,
  sums: Sums<T>,
  step: Step<T>,
  loops: Loops,
): readonly Statement[] {
  const { shape, axes } = space;
  const index = [...row];
  return visit(sums.totals, 0);

  function visit(totals: T, level: number): readonly Statement[] {
    const axis = axes[level];
    if (axis === undefined) return step([...index], totals);
    const size = shape[axis] ?? 1;
    if (size === 1) return visit(totals, level + 1);
    const inner = elementCount(axes.slice(level + 1).map((other) => shape[other] ?? 1));
    const isShort = !sums.areLong || size * inner <= 2 * BLOCK;
    if (isShort || inner < INNER_MIN) {
      return counted({ ...sums, totals }, isShort ? 1 : size, i32(size), loops, (counter, into) => {
        index[axis] = counter;
        return visit(into, level + 1);
      });
    }
    return [
      loops.for("k", i32(0), i32(size), (counter) => {
        index[axis] = counter;
        return sums.inPart(totals, (parts) => visit(parts, level + 1));
      }),
    ];
  }
}

/** Every so manieth step, for lane number `lane` of `lanes`: one loop over all reduced axes. */
export function alongTogether<T>(
  space: RowSpace,
  row: Index,
  { lane, lanes }: { readonly lane: Expr; readonly lanes: number },
  sums: Sums<T>,
  step: Step<T>,
  loops: Loops,
): readonly Statement[] {
  const sizes = space.axes.map((axis) => space.shape[axis] ?? 1);
  const steps = elementCount(sizes);
  const isEven = steps % lanes === 0;
  // Lanes beyond the last step have a round less.
  const own = isEven ? i32(steps / lanes) : divide(add(subtract(i32(steps), lane), i32(lanes - 1)), i32(lanes));
  return counted(sums, sums.areLong ? Math.ceil(steps / lanes) : 1, own, loops, (round, totals) => {
    const place = add(multiply(round, i32(lanes)), lane);
    const index = [...row];
    for (const [i, at] of unflatten(place, sizes).entries()) index[space.axes[i] ?? 0] = at;
    return step(index, totals);
  });
}

/**
 * The same with `each` steps of every lane in a round, written out: those that neighbouring lanes do at the same time are
 * neighbours. What is left at the end is done one by one.
 */
export function alongApart<T>(
  space: RowSpace,
  row: Index,
  { lane, lanes, each }: { readonly lane: Expr; readonly lanes: number; readonly each: number },
  sums: Sums<T>,
  step: Step<T>,
  loops: Loops,
): readonly Statement[] {
  const sizes = space.axes.map((axis) => space.shape[axis] ?? 1);
  const steps = elementCount(sizes);
  const rounds = Math.floor(steps / (lanes * each));
  const done = rounds * lanes * each;
  const indexAt = (place: Expr): Index => {
    const index = [...row];
    for (const [i, at] of unflatten(place, sizes).entries()) index[space.axes[i] ?? 0] = at;
    return index;
  };
  const part = loops.standIn("part", each - 1);
  const parts = Array.from({ length: each }, (_, i) => new Map([[part.name, i32(i)]]));
  const inside = add(multiply(part, i32(lanes)), lane);
  const whole = counted(sums, sums.areLong ? rounds : 1, i32(rounds), loops, (round, totals) =>
    step(indexAt(add(multiply(round, i32(lanes * each)), inside)), totals, parts),
  );
  if (done === steps) return whole;
  const own = divide(add(subtract(i32(steps - done), lane), i32(lanes - 1)), i32(lanes));
  const rest = counted(sums, 1, own, loops, (round, totals) =>
    step(indexAt(add(add(multiply(round, i32(lanes)), i32(done)), lane)), totals),
  );
  return rounds === 0 ? rest : [...whole, ...rest];
}

/** body(0 to count - 1), in blocks where `countMax` is long. */
function counted<T>(
  { totals, inPart }: Sums<T>,
  countMax: number,
  count: Expr,
  loops: Loops,
  body: (counter: Expr, totals: T) => readonly Statement[],
): readonly Statement[] {
  const loop = (from: Expr, to: Expr, into: T): Statement => loops.for("k", from, to, (k) => body(k, into));
  if (countMax <= 2 * BLOCK) return [loop(i32(0), count, totals)];
  const blocks = loops.for("block", i32(0), i32(Math.ceil(countMax / BLOCK)), (block) => {
    const from = multiply(block, i32(BLOCK));
    return inPart(totals, (parts) => [loop(from, minimum(add(from, i32(BLOCK)), count), parts)]);
  });
  return [blocks];
}
