/** What a run came to, in figures: pure, from its lines. */
import type { ByteCounts, RunLine, StepLine } from "../../src/network/wire/run-line.ts";
import { lossesOf } from "./compare.ts";

/** Bytes that a member sent in a step, beside what theory asks for. */
export interface TrafficSummary {
  /** Members of the epochs that this is about. */
  readonly members: number;
  /** Pairs of a step and a member that were counted: steps whose epoch had begun before. */
  readonly samples: number;
  /** Mean bytes a member and step: each should be (n-1)/n x 4P. A member without slots sends no gradients. */
  readonly gradients: number;
  readonly parameters: number;
  /** 2(n-1)/n x 4P: of both together. */
  readonly exchangeExpected: number | null;
  /** Mean bytes of optimizer replicas a member and step, and 8P/n. */
  readonly replica: number;
  readonly replicaExpected: number | null;
}

export interface RunSummary {
  /** Last committed step. */
  readonly steps: number;
  /** Mean loss of the last five steps; NaN before the first. */
  readonly loss: number;
  /** Step lines, those done again after a rollback included. */
  readonly stepLines: number;
  /** Median of the steps' own times. */
  readonly stepMs: number;
  readonly epochs: number;
  readonly incarnations: number;
  readonly aborts: number;
  readonly rollbacks: number;
  readonly checkpoints: number;
  readonly faults: number;
  readonly paths: Readonly<Record<string, number>>;
  readonly traffic: readonly TrafficSummary[];
  /** Steps of checkpoints, and "end", whose digests differ among devices. */
  readonly unequalDigests: readonly (number | "end")[];
  /** Devices that named a digest at the end; 0 without an `end` line. */
  readonly endDigests: number;
  readonly hasEnd: boolean;
}

const LAST_STEPS = 5;

/** The summary of a run with `parameters` values (null where nobody said how many there are). */
export function summarize(lines: readonly RunLine[], parameters: number | null): RunSummary {
  const steps = lines.filter((line) => line.type === "step");
  const count = (type: RunLine["type"]): number => lines.filter((line) => line.type === type).length;
  const losses = [...lossesOf(lines)].sort(([a], [b]) => a - b).map(([, loss]) => loss);
  const end = lines.find((line) => line.type === "end");
  const unequal: (number | "end")[] = lines.flatMap((line) =>
    line.type === "checkpoint" && !areEqual(line.digests) ? [line.step] : [],
  );
  if (end && !areEqual(end.digests)) unequal.push("end");
  return {
    steps: steps.at(-1)?.step ?? 0,
    loss: mean(losses.slice(-LAST_STEPS)),
    stepLines: steps.length,
    stepMs: median(steps.map((line) => line.ms).filter((ms) => ms > 0)),
    epochs: new Set(steps.map((line) => `${line.incarnation}/${line.epoch}`)).size,
    incarnations: new Set(steps.map((line) => line.incarnation)).size,
    aborts: count("abort"),
    rollbacks: count("rollback"),
    checkpoints: count("checkpoint"),
    faults: count("fault"),
    paths: pathsOf(steps),
    traffic: trafficOf(lines, parameters),
    unequalDigests: unequal,
    endDigests: end ? Object.keys(end.digests).length : 0,
    hasEnd: end !== undefined,
  };
}

/** True when all devices read back the same bytes (or none did). */
export function areEqual(digests: Readonly<Record<string, string>>): boolean {
  return new Set(Object.values(digests)).size <= 1;
}

function pathsOf(steps: readonly StepLine[]): Record<string, number> {
  const kinds = new Map<string, Set<string>>();
  for (const step of steps) {
    for (const [pair, kind] of Object.entries(step.transport))
      kinds.set(kind, (kinds.get(kind) ?? new Set()).add(pair));
  }
  return Object.fromEntries([...kinds].map(([kind, pairs]) => [kind, pairs.size]));
}

/**
 * Only steps that follow another of their epoch, with no abort between: in the first of an epoch, members also send
 * what the new map asks for, and a listener only listens.
 */
function trafficOf(lines: readonly RunLine[], parameters: number | null): TrafficSummary[] {
  const samples = new Map<number, ByteCounts[]>();
  let before: StepLine | null = null;
  for (const line of lines) {
    if (line.type === "abort" || line.type === "rollback") before = null;
    if (line.type !== "step") continue;
    const isQuiet = before !== null && before.incarnation === line.incarnation && before.epoch === line.epoch;
    before = line;
    if (!isQuiet) continue;
    const n = line.members.length;
    const list = samples.get(n) ?? [];
    list.push(...Object.values(line.bytesSent));
    samples.set(n, list);
  }
  return [...samples]
    .filter(([, list]) => list.length > 0)
    .sort(([a], [b]) => a - b)
    .map(([n, list]) => ({
      members: n,
      samples: list.length,
      gradients: mean(list.map((bytes) => bytes.gradients)),
      parameters: mean(list.map((bytes) => bytes.parameters)),
      exchangeExpected: parameters === null ? null : ((2 * (n - 1)) / n) * 4 * parameters,
      replica: mean(list.map((bytes) => bytes.optimizerReplica)),
      // Alone, the owner is its own replica.
      replicaExpected: parameters === null ? null : n === 1 ? 0 : (8 * parameters) / n,
    }));
}

/**
 * The number of parameters that the replicas' bytes are the closed form of, or null where there is nothing to go by.
 * For a driver that was not told; the exchange's bytes then still check it.
 */
export function impliedParameters(traffic: readonly TrafficSummary[]): number | null {
  const narrowest = traffic.find((entry) => entry.members > 1);
  return narrowest ? Math.round((narrowest.replica * narrowest.members) / 8) : null;
}

/** For people: a few lines. `wallMs` is the time from opening the first tab; `p` says how many parameters, and who says so. */
export function describeSummary(summary: RunSummary, wallMs: number, p: string): string {
  const perSecond = wallMs > 0 ? (summary.stepLines * 1000) / wallMs : 0;
  const paths = Object.entries(summary.paths).map(([kind, pairs]) => `${pairs} ${kind}`);
  const lines = [
    `steps ${summary.steps}, loss ${format(summary.loss)} (mean of the last ${LAST_STEPS})`,
    `time ${(wallMs / 1000).toFixed(1)} s, ${perSecond.toFixed(2)} steps/s, ${Math.round(summary.stepMs)} ms a step (median)`,
    `epochs ${summary.epochs}, aborts ${summary.aborts}, rollbacks ${summary.rollbacks}, checkpoints ${summary.checkpoints}, ` +
      `faults ${summary.faults}`,
    `pairs of peers: ${paths.length > 0 ? paths.join(", ") : "none"}`,
    ...summary.traffic.map((entry) => describeTraffic(entry, p)),
    `digests at the end: ${describeDigests(summary)}`,
  ];
  return lines.map((line) => `  ${line}\n`).join("");
}

function describeTraffic(entry: TrafficSummary, p: string): string {
  const of = (bytes: number, expected: number | null, formula: string): string => {
    if (expected === null || expected === 0) return kilobytes(bytes);
    return `${kilobytes(bytes)}, ${((100 * bytes) / expected).toFixed(1)}% of ${formula} = ${kilobytes(expected)}`;
  };
  const { members, gradients, parameters, replica } = entry;
  const exchange = of(gradients + parameters, entry.exchangeExpected, "2(n-1)/n x 4P");
  return (
    `bytes a member and step, n = ${members}, ${p}:\n` +
    `    gradients ${kilobytes(gradients)}, parameters ${kilobytes(parameters)}; together ${exchange}\n` +
    `    optimizer replicas ${of(replica, entry.replicaExpected, "8P/n")}`
  );
}

function describeDigests(summary: RunSummary): string {
  if (!summary.hasEnd) return "none, the run did not end";
  if (summary.endDigests === 0) return "none were given";
  const isEqual = !summary.unequalDigests.includes("end");
  return `${summary.endDigests}, ${isEqual ? "all equal" : "NOT equal"}`;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}

function format(loss: number): string {
  return Number.isNaN(loss) ? "unknown" : loss.toFixed(4);
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
