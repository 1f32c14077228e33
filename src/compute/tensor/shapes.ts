/** Arithmetic on shapes and axes, with errors that name the operation. */
import { OptionError, ShapeError } from "../../base/errors.ts";
import type { Shape } from "../compiler/ir.ts";
import { elementCount, formatShape } from "../layout/shape.ts";

/** The size of an axis that is known to exist. */
export function sizeOf(shape: Shape, axis: number): number {
  const size = shape[axis];
  if (size === undefined) throw new ShapeError(`expected an axis ${axis}, found the shape ${formatShape(shape)}`);
  return size;
}

/** @throws OptionError when a size is no whole number from 0 */
export function checkShape(operation: string, shape: Shape): void {
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw new OptionError(`${operation}: expected sizes that are whole numbers from 0, found ${formatShape(shape)}`);
  }
}

/** The shape that both broadcast to, by NumPy's rules. @throws ShapeError */
export function broadcastShapes(operation: string, a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const m = a[axis - rank + a.length] ?? 1;
    const n = b[axis - rank + b.length] ?? 1;
    if (m !== n && m !== 1 && n !== 1) {
      throw new ShapeError(
        `${operation}: expected shapes that broadcast, found ${formatShape(a)} and ${formatShape(b)}`,
      );
    }
    return m === 1 ? n : m;
  });
}

/** `axis` counted from 0; negative ones count from the end. @throws OptionError */
export function normalizeAxis(operation: string, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    throw new OptionError(`${operation}: expected an axis from ${-rank} to ${rank - 1}, found ${axis}`);
  }
  return axis < 0 ? axis + rank : axis;
}

/** One axis, several, or all (null), as ascending distinct numbers from 0. A number has none, but 0 and -1 may be said. @throws OptionError */
export function normalizeAxes(operation: string, axes: number | readonly number[] | null, rank: number): number[] {
  if (axes === null) return Array.from({ length: rank }, (_, axis) => axis);
  const list = (typeof axes === "number" ? [axes] : axes).map((axis) =>
    normalizeAxis(operation, axis, Math.max(rank, 1)),
  );
  if (new Set(list).size !== list.length) {
    throw new OptionError(`${operation}: expected distinct axes, found ${formatShape(list)}`);
  }
  return rank === 0 ? [] : list.sort((a, b) => a - b);
}

/** `shape` without `axes`. */
export function withoutAxes(shape: Shape, axes: readonly number[]): number[] {
  return shape.filter((_, axis) => !axes.includes(axis));
}

/** `shape` with size 1 at `axes`. */
export function withUnitAxes(shape: Shape, axes: readonly number[]): number[] {
  return shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
}

/** `shape` with `size` at `axis`. */
export function withSize(shape: Shape, axis: number, size: number): number[] {
  return shape.map((old, i) => (i === axis ? size : old));
}

/** `shape` with one -1 replaced by what `count` elements leave for it. @throws ShapeError */
export function inferShape(operation: string, shape: Shape, count: number): number[] {
  const unknown = shape.filter((size) => size === -1).length;
  const known = elementCount(shape.filter((size) => size !== -1));
  const missing = unknown === 0 ? 1 : known === 0 ? 0 : count / known;
  const out = shape.map((size) => (size === -1 ? missing : size));
  if (unknown > 1 || !Number.isInteger(missing) || elementCount(out) !== count) {
    throw new ShapeError(`${operation}: expected a shape of ${count} elements, found ${formatShape(shape)}`);
  }
  checkShape(operation, out);
  return out;
}
