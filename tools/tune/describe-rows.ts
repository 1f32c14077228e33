/** A tuning table as text: a line a site, the default first, the winner in brackets. */
import type { TuningRow } from "../../src/compute/runtime/tune.ts";

const HEADER = ["kind", "dtype", "shapes", "speed-up", "candidates in ms"];

export function describeRows(rows: readonly TuningRow[]): string {
  const lines = [HEADER, ...rows.map(cellsOf)];
  const widths = HEADER.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const padded = lines.map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()); // prettier-ignore
  const rejected = rows.flatMap(({ shapeClass, candidates }) =>
    candidates.flatMap(({ name, rejection }) =>
      rejection === null ? [] : [`${name} for ${shapeClass}: ${rejection}`],
    ),
  );
  return [...padded, ...(rejected.length > 0 ? ["", "rejected:", ...rejected] : [])].join("\n");
}

function cellsOf({ kind, dtype, shapeClass, speedUp, candidates, winner }: TuningRow): string[] {
  const times = candidates.map(({ name, ms, rejection }) => {
    const time = rejection !== null ? "rejected" : ms === null ? "-" : ms.toPrecision(3);
    return name === winner ? `[${name} ${time}]` : `${name} ${time}`;
  });
  return [kind, dtype, shapeClass, speedUp === null ? "-" : speedUp.toFixed(2), times.join("  ")];
}
