/** Every case of the fixtures on one runtime, one after another. Nothing is skipped: what hearth lacks has failed. */
import { describeError, UnsupportedError } from "../../src/base/errors.ts";
import type { Runtime } from "../../src/compute/runtime/runtime.ts";
import { erratumOf } from "./errata.ts";
import type { AllFixtures } from "./fixtures.ts";
import { runOptimizer } from "./optimizers.ts";
import { runModel } from "./run-model.ts";
import { runOp } from "./run-op.ts";

export interface CaseResult {
  readonly id: string;
  /** What the case is about, for the table: the op, the optimizer, the kind of model. */
  readonly subject: string;
  /** Null when it passed. */
  readonly reason: string | null;
  /** What is wrong with the case itself; null for nothing. */
  readonly note: string | null;
}

/** What `--json` writes. */
export interface ConformanceReport {
  readonly cases: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly failures: readonly { readonly id: string; readonly reason: string }[];
  /** Cases whose options contradict their values, and how they were judged. */
  readonly errata: readonly { readonly id: string; readonly note: string }[];
}

interface Case {
  readonly id: string;
  readonly subject: string;
  readonly note?: string | null;
  readonly run: () => Promise<string | null>;
}

/** `onResult` is told of each case as it ends. */
export async function runConformance(
  runtime: Runtime,
  fixtures: AllFixtures,
  onResult: (result: CaseResult) => void = () => {},
): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for (const { id, subject, note = null, run } of casesOf(runtime, fixtures)) {
    const result = { id, subject, note, reason: await run().catch(reasonOf) };
    results.push(result);
    onResult(result);
  }
  return results;
}

export function reportOf(results: readonly CaseResult[]): ConformanceReport {
  const failures = results.flatMap(({ id, reason }) => (reason === null ? [] : [{ id, reason }]));
  const errata = results.flatMap(({ id, note }) => (note === null ? [] : [{ id, note }]));
  const failed = failures.length;
  return { cases: results.length, passed: results.length - failed, failed, skipped: 0, failures, errata };
}

function casesOf(runtime: Runtime, { ops, optimizers, models }: AllFixtures): Case[] {
  return [
    ...ops.cases.map((item) => ({
      id: item.id,
      subject: item.op,
      note: erratumOf(item, ops.values)?.note ?? null,
      run: () => runOp(runtime, item, ops.values),
    })),
    ...optimizers.cases.map((item) => ({
      id: item.id,
      subject: item.optimizer,
      run: () => runOptimizer(runtime, item, optimizers.values),
    })),
    ...models.cases.map((item) => ({
      id: item.id,
      subject: `model ${item.kind}`,
      run: () => runModel(runtime, item, models.values),
    })),
  ];
}

/** What hearth lacks is said without the error's code, in the same words for every case. */
function reasonOf(error: unknown): string {
  return error instanceof UnsupportedError ? error.message : describeError(error);
}
