/** A small dense simplex (two phases, Bland's rule), to check closed forms against. All unknowns are at least 0. */

interface Constraint {
  readonly row: readonly number[];
  readonly bound: number;
}

interface LinearProgram {
  readonly costs: readonly number[];
  readonly atMost: readonly Constraint[];
  readonly equal: readonly Constraint[];
}

const EPSILON = 1e-9;

/** The least value of costs * x. */
export function minimize({ costs, atMost, equal }: LinearProgram): number {
  const rows = [...atMost.map((one) => ({ ...one, slack: 1 })), ...equal.map((one) => ({ ...one, slack: 0 }))];
  const [unknowns, slacks] = [costs.length, atMost.length];
  const width = unknowns + slacks + rows.length; // And an artificial one a row.
  const table = rows.map(({ row, bound, slack }, at) => {
    const line = [...row, ...new Array<number>(slacks + rows.length).fill(0), bound];
    if (slack === 1) line[unknowns + at] = 1;
    if (bound < 0) line.forEach((value, column) => (line[column] = -value));
    line[unknowns + slacks + at] = 1;
    return line;
  });
  const basis = rows.map((_, at) => unknowns + slacks + at);
  const artificial = (column: number): boolean => column >= unknowns + slacks;
  solve(
    table,
    basis,
    Array.from({ length: width }, (_, column) => (artificial(column) ? 1 : 0)),
    () => true,
  );
  const all = Array.from({ length: width }, (_, column) => costs[column] ?? 0);
  solve(table, basis, all, (column) => !artificial(column));
  return basis.reduce((sum, column, row) => sum + (all[column] ?? 0) * (table[row]?.at(-1) ?? 0), 0);
}

function solve(table: number[][], basis: number[], costs: readonly number[], may: (column: number) => boolean): void {
  for (;;) {
    const reduced = (column: number): number =>
      (costs[column] ?? 0) -
      table.reduce((sum, line, row) => sum + (costs[basis[row] ?? 0] ?? 0) * (line[column] ?? 0), 0);
    const entering = costs.findIndex(
      (_, column) => may(column) && !basis.includes(column) && reduced(column) < -EPSILON,
    );
    if (entering < 0) return;
    const ratios = table.map((line) =>
      (line[entering] ?? 0) > EPSILON ? (line.at(-1) ?? 0) / (line[entering] ?? 1) : Infinity,
    );
    const least = Math.min(...ratios);
    if (least === Infinity) throw new RangeError("minimize: no bound");
    const ties = ratios.flatMap((ratio, row) => (ratio <= least + EPSILON ? [row] : []));
    const leaving = ties.reduce((best, row) => ((basis[row] ?? 0) < (basis[best] ?? 0) ? row : best));
    pivot(table, leaving, entering);
    basis[leaving] = entering;
  }
}

function pivot(table: number[][], leaving: number, entering: number): void {
  const line = table[leaving] as number[];
  const by = line[entering] as number;
  line.forEach((value, column) => (line[column] = value / by));
  for (const [row, other] of table.entries()) {
    const factor = other[entering] as number;
    if (row === leaving || factor === 0) continue;
    other.forEach((value, column) => (other[column] = value - factor * (line[column] as number)));
  }
}
