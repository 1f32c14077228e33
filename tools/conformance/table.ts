/** Results for people: a line for each op, optimizer and kind of model. */
import type { CaseResult, ConformanceReport } from "./run-conformance.ts";

/** One line a subject, in the order of the fixtures, with the reason of its first failure. */
export function tableOf(results: readonly CaseResult[]): string {
  const subjects = [...new Set(results.map(({ subject }) => subject))];
  const width = Math.max(0, ...subjects.map((subject) => subject.length));
  return subjects
    .map((subject) => {
      const own = results.filter((result) => result.subject === subject);
      const failed = own.filter(({ reason }) => reason !== null);
      const [first] = failed;
      const passed = `${own.length - failed.length}/${own.length}`.padStart(5);
      const notes = own.flatMap(({ id, note }) => (note === null ? [] : [` (${id}: ${note})`])).join("");
      return `${subject.padEnd(width)} ${passed}  ${first ? `FAILED  ${first.id}: ${first.reason}` : "ok"}${notes}`;
    })
    .join("\n");
}

export function totalsOf({ cases, passed, failed, skipped }: ConformanceReport): string {
  return `${cases} cases: ${passed} passed, ${failed} failed, ${skipped} skipped`;
}
