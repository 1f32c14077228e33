/** Adding up what test runners report. */
import { existsSync, readFileSync } from "node:fs";

export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Vitest's JSON report, as far as it is read here; the browser runner writes the same. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests?: number;
  readonly testResults?: readonly { status: string; assertionResults: readonly { status: string }[] }[];
}

/**
 * Totals from the report at `path`. A runner that failed has at least one failure, whatever it reports: a file that
 * does not load has no tests, and a runner that crashes writes no report.
 */
export function readTotals(path: string, code: number | null): Totals {
  const report = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Report) : null;
  if (!report) return { passed: 0, failed: code === 0 ? 0 : 1, skipped: 0 };
  const unloaded = (report.testResults ?? []).filter(
    ({ status, assertionResults }) =>
      status === "failed" && !assertionResults.some((result) => result.status === "failed"),
  );
  const failed = report.numFailedTests + unloaded.length;
  return {
    passed: report.numPassedTests,
    failed: code === 0 ? failed : Math.max(1, failed),
    skipped: report.numPendingTests + (report.numTodoTests ?? 0),
  };
}

export function sumTotals(all: readonly Totals[]): Totals {
  const sum = (pick: (totals: Totals) => number): number => all.reduce((total, totals) => total + pick(totals), 0);
  return { passed: sum((t) => t.passed), failed: sum((t) => t.failed), skipped: sum((t) => t.skipped) };
}

/** The last line of `npm test`. */
export function totalsLine({ passed, failed, skipped }: Totals): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
