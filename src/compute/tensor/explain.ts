/** What a compiled function does on the device, for people: its graphs, its kernels, and what each of them takes. */
import { OptionError } from "../../base/errors.ts";
import type { PlanReport } from "../runtime/plan-report.ts";
import { reportText } from "../runtime/report-text.ts";
import type { ReportTextOptions } from "../runtime/report-text.ts";
import type { CompiledFunction } from "./compile.ts";

/** Options of `explain`. */
export interface ExplainOptions {
  /** Runs, the middle of which is each kernel's time: 5 by default; 0 runs nothing, and shows the times that are known. */
  readonly runs?: number;
  /** Adds the WGSL of every kernel to `toString`. False by default. */
  readonly sources?: boolean;
}

/** What `explain` gives. */
export interface Explanation {
  /** One for each set of input shapes that the function has been called with. Plain data: it can be sent and saved. */
  readonly plans: readonly PlanReport[];
  /** A table of the kernels, and the WGSL of each where `sources` asks for it. */
  text(options?: ReportTextOptions): string;
  /** The text, with sources where the options asked for them. */
  toString(): string;
}

/**
 * Explains what `step` does, and how long each kernel takes: runs it on the inputs of its last call, and leaves results
 * and all that it assigns as they were.
 *
 * @throws OptionError for a function that has not been called, and for options that are no options
 */
export async function explain(
  step: Pick<CompiledFunction<string, never>, "explain" | "profile">,
  { runs, sources = false }: ExplainOptions = {},
): Promise<Explanation> {
  if (runs !== undefined && !(Number.isInteger(runs) && runs >= 0)) {
    throw new OptionError(`explain: expected a whole number of runs from 0, found ${runs}`);
  }
  if (runs !== 0) await step.profile(runs);
  const plans = step.explain();
  if (plans.length === 0) {
    throw new OptionError("explain: expected a compiled function that has been called, found one without a plan");
  }
  const text = (options?: ReportTextOptions): string => reportText(plans, options);
  return { plans, text, toString: () => text({ sources }) };
}
