/** `bench/RESULTS.md`, as `--results` writes it. */
import { availableParallelism, cpus, loadavg } from "node:os";
import { markdownOf } from "./result.ts";
import type { BenchResult } from "./result.ts";

/**
 * @param bounds a sentence for each device: its name, and what it can do at most
 * @param before the page as it was, whose sections after the table are kept: other commands' figures
 */
export function resultsPage(
  results: readonly BenchResult[],
  bounds: readonly string[],
  argv: readonly string[],
  before: string,
): string {
  const sections = before.indexOf("\n## ");
  const day = new Date().toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" });
  const machine = `${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? "unknown"})`;
  const load = loadavg()[0]?.toFixed(1) ?? "unknown";
  return `# Results

\`npm run bench -- ${argv.join(" ")}\`, one run of ${day}: Node ${process.versions.node} on ${machine}; load average ${load} at its end.

Each figure is the median of 5 samples after a warm-up; a sample is as many steps as fit a quarter of a second, submitted in a row, and one wait for the
device. Ours and the peers take turns, sample by sample. GB/s count each array read and written once.

What the devices can do at most, by hand-written kernels:

${bounds.map((bound) => `- ${bound}`).join("\n")}

${markdownOf(results)}
${sections >= 0 ? before.slice(sections) : ""}`;
}
