/** From what libraries reported of a case to its line. */
import { asideOf, figureOf, unitOf } from "./cases/bench-case.ts";
import type { BenchCase } from "./cases/bench-case.ts";
import type { CaseReport, LibraryReport } from "./environments/case-report.ts";
import { OURS } from "./libraries/library.ts";
import { SAMPLES } from "./measure.ts";
import { rounded } from "./result.ts";
import type { BenchResult, Environment } from "./result.ts";

export function deviceResult(
  name: string,
  benchCase: BenchCase,
  environment: Environment,
  report: CaseReport,
): BenchResult {
  const figure = (ms: number | null | undefined): number | null =>
    ms === null || ms === undefined ? null : rounded(figureOf(benchCase, ms));
  const { [OURS]: ours, ...peers } = report;
  const notes = [
    ...(ours ? [...notesOf(benchCase, ours)] : [`${OURS} gave no report`]),
    ...Object.entries(peers).map(([peer, theirs]) => `${peer}: ${notesOf(benchCase, theirs).join(", ")}`),
  ];
  return {
    name,
    case: benchCase.title,
    environment,
    ...unitOf(benchCase),
    ours: figure(ours?.ms),
    peers: Object.fromEntries(Object.entries(peers).map(([peer, { ms }]) => [peer, figure(ms)])),
    notes: notes.join("; "),
  };
}

function notesOf(benchCase: BenchCase, { ms, samples, notes, error }: LibraryReport): readonly string[] {
  if (ms === null) return [`FAILED in ${error ?? "an unknown way"}`];
  const aside = asideOf(benchCase, ms);
  const few = samples < SAMPLES ? [`median of ${samples} only`] : [];
  return [...(aside === null ? [] : [aside]), ...notes, ...few];
}
