/** Puts the ranks' reports together: a case has passed where no rank found a fault and all that must have the same bits. */
import { AGREEING, matrixCases } from "./matrix-cases.ts";
import type { MatrixCase } from "./matrix-cases.ts";
import type { RankReport } from "./run-matrix.ts";

/** What became of the matrix among so many ranks. */
export interface SizeReport {
  readonly size: number;
  readonly cases: readonly { readonly id: string; readonly verb: string; readonly reason: string | null }[];
}

/** @param reports one a rank */
export function judgeMatrix(reports: readonly RankReport[], cases: readonly MatrixCase[] = matrixCases()): SizeReport {
  return {
    size: reports.length,
    cases: cases.map(({ id, verb }, at) => ({ id: `${id}, of ${reports.length}`, verb, reason: reasonOf(verb, reports, at) })),
  }; // prettier-ignore
}

function reasonOf(verb: MatrixCase["verb"], reports: readonly RankReport[], at: number): string | null {
  const found = reports.map(({ rank, cases }) => ({ rank, ...(cases[at] ?? { digest: "", fault: "did not come to it" }) }));
  const faulty = found.find(({ fault }) => fault !== null);
  if (faulty !== undefined) return `rank ${faulty.rank}: ${faulty.fault}`;
  const [first, ...rest] = AGREEING.includes(verb) ? found : [];
  const other = rest.find(({ digest }) => digest !== first?.digest);
  return other === undefined ? null : `rank ${other.rank}: expected the same bits as on rank 0, found others`;
} // prettier-ignore

/** How many cases of each verb passed, a column a size; and the first failures. */
export function matrixTable(reports: readonly SizeReport[]): string {
  const verbs = [...new Set(reports.flatMap(({ cases }) => cases.map(({ verb }) => verb)))];
  const rows = [...verbs, "all"].map((name) => [name, ...reports.map((report) => countOf(report, name))]);
  const header = ["verb", ...reports.map(({ size }) => `n = ${size}`)];
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? "").length)));
  return [header, ...rows].map((row) => row.map((cell, i) => cell.padStart(widths[i] ?? 0)).join("  ")).join("\n");
}

function countOf({ cases }: SizeReport, verb: string): string {
  const own = cases.filter((one) => verb === "all" || one.verb === verb);
  return `${own.filter(({ reason }) => reason === null).length}/${own.length}`;
}
