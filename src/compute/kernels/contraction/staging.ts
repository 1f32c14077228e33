/**
 * Operands on their way into workgroup memory: all lanes bring them there, neighbouring lanes neighbours in memory, in
 * fours where they lie so.
 *
 * An operand keeps its order: where neighbours in memory are neighbours in k, they are in the shared array too. Turning
 * it round would take stores of single elements, and then no load could be one of four.
 */
import { add, divide, i32, less, multiply, remainder, select } from "../../lang/build.ts";
import { constant } from "../../lang/expr.ts";
import type { Expr, Statement } from "../../lang/kernel.ts";
import { storeShared } from "../../lang/statements.ts";
import { VECTOR } from "../../lang/vector-access.ts";
import { atMost, onlyIf } from "./tile.ts";

/** One operand of a block: rows of the left one, columns of the right one. */
export interface Side {
  /** The shared array. */
  readonly array: number;
  /** Rows or columns of the block. */
  readonly count: number;
  /** The first of them in the matrix, and how many that has. */
  readonly first: Expr;
  readonly size: number;
  /** Neighbours in memory are neighbours in k. */
  readonly isAlongInner: boolean;
  readonly operand: (k: Expr, place: Expr) => Expr;
}

/** What of k is in workgroup memory at a time. */
export interface Window {
  readonly firstK: Expr;
  readonly steps: number;
  /** K */
  readonly inner: number;
}

/** Elements that lie between lines along k, so that lanes a line apart read from different banks. */
export const PAD = 4;

/** Elements of a side's shared array. */
export function lengthOf({ count, isAlongInner }: Side, steps: number): number {
  return isAlongInner ? count * (steps + PAD) : count * steps;
}

/** Where an element of the block is in its shared array. */
export function placeIn({ count, isAlongInner }: Side, steps: number, place: Expr, k: Expr): Expr {
  return isAlongInner ? add(multiply(place, i32(steps + PAD)), k) : add(multiply(k, i32(count)), place);
}

/** What all lanes do to bring `window` of an operand into its shared array. */
export function stage(side: Side, { firstK, steps, inner }: Window, lane: Expr, lanes: number): readonly Statement[] {
  const { array, count, first, size, isAlongInner, operand } = side;
  // A line is what lies side by side in memory: a part of one of the matrix.
  const [line, firstInLine, wholeLine] = isAlongInner ? [steps, firstK, inner] : [count, first, size];
  const together = line % VECTOR === 0 && wholeLine % VECTOR === 0 ? VECTOR : 1;
  const pieces = (steps * count) / together;
  const perLine = line / together;
  const statements: Statement[] = [];
  for (let round = 0; round * lanes < pieces; round++) {
    const piece = add(lane, i32(round * lanes));
    const inside = atMost(piece, pieces - 1);
    const [number, start] = [divide(inside, i32(perLine)), remainder(inside, i32(perLine))];
    const inLine = add(divide(firstInLine, i32(together)), start);
    // Beyond the end of the matrix some other elements are read, whole pieces of them, and nothing is stored of theirs.
    const insideLine = atMost(inLine, wholeLine / together - 1);
    const across = add(isAlongInner ? first : firstK, number);
    const insideAcross = atMost(across, (isAlongInner ? size : inner) - 1);
    const isCounted = isAlongInner ? less(inLine, i32(inner / together)) : less(across, i32(inner));
    const stores = Array.from({ length: together }, (_, i) => {
      const [along, inMatrix] = [start, insideLine].map((at) => add(multiply(at, i32(together)), i32(i))) as [
        Expr,
        Expr,
      ];
      const value = isAlongInner ? operand(inMatrix, insideAcross) : operand(insideAcross, inMatrix);
      const place = isAlongInner ? placeIn(side, steps, number, along) : placeIn(side, steps, along, number);
      // 0 beyond the end of k.
      return storeShared(array, place, select(isCounted, value, constant("f32", 0)));
    });
    statements.push(...onlyIf(less(piece, i32(pieces)), stores));
  }
  return statements;
}
