/** A scorecard, for people. */
import { DIFFERENCE_MAX, type KindScore, type Scorecard } from "./scorecard.ts";

export function describeScorecard(card: Scorecard): string {
  const { throughput, throughputGoal, losses, digests } = card;
  const isMet = throughput >= throughputGoal ? "met" : "NOT met";
  const lines = [
    `steps ${card.steps}, ${card.stepsPerSecond.toFixed(2)} steps/s; undisturbed ${card.undisturbedStepsPerSecond.toFixed(2)} steps/s`,
    `throughput ${percent(throughput)} of undisturbed, goal ${percent(throughputGoal)}: ${isMet}`,
    `losses differ by at most ${losses.relativeMax.toExponential(1)} (step ${losses.atStep}), to be below ${DIFFERENCE_MAX}; ${describeReferences(card)}`,
    `hangs ${card.hangs.length} (no step for ${seconds(card.hangMsMax)}); the longest time without a step was ${seconds(card.longestGapMs)}`,
    `rollbacks ${card.rollbacks}, steps lost ${card.stepsLost}, aborts ${card.aborts}${listed(card.abortReasons)}`,
    `recoveries: ${describeRecoveries(card)}`,
    `digests: ${digests.checkpoints - digests.unequal.length} of ${digests.checkpoints} checkpoints equal, the last (step ${digests.lastStep}) of ${digests.lastTabs} tabs`,
    `faults ${card.faults.length}, ${card.missed} found nobody to strike; tabs that went or stopped by themselves: ${card.casualties.length}`,
    ...card.casualties.map(({ tab, atMs, reason }) => `  tab ${tab} at ${seconds(atMs)}: ${reason}`),
    HEAD,
    ...Object.entries(card.kinds).map(([kind, score]) => describeKind(kind, score)),
    ...card.failures.map((failure) => `FAILED: ${failure}`),
  ];
  return lines.map((line) => `  ${line}\n`).join("");
}

const HEAD = "fault             count  next step median, max  longest gap  time lost  tab takes part again median, max";

function describeKind(kind: string, score: KindScore): string {
  const { count, nextCommitMsMedian, nextCommitMsMax, gapMsMax, lostMs, returnMsMedian, returnMsMax } = score;
  const back =
    returnMsMedian === null || returnMsMax === null ? "" : `${seconds(returnMsMedian)}, ${seconds(returnMsMax)}`;
  return [
    kind.padEnd(16),
    String(count).padStart(6),
    `${seconds(nextCommitMsMedian)}, ${seconds(nextCommitMsMax)}`.padStart(22),
    seconds(gapMsMax).padStart(12),
    seconds(lostMs).padStart(10),
    back.padStart(34),
  ].join(" ");
}

function describeReferences({ losses }: Scorecard): string {
  const by = losses.references.map(
    ({ tabs, steps }) => `${steps} from ${tabs} undisturbed ${tabs === 1 ? "tab" : "tabs"}`,
  );
  return `${losses.compared} steps compared (${by.join(", ")}), ${losses.uncompared} not`;
}

function describeRecoveries({ recoveries, joinBytes }: Scorecard): string {
  const parts = Object.entries(recoveries).map(
    ([source, { count, shards, bytes }]) => `${count} from ${source} (${shards} shards, ${kilobytes(bytes)})`,
  );
  return `${parts.join(", ") || "none"}; sent to who joined: ${kilobytes(joinBytes)}`;
}

function listed(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).map(([reason, count]) => `${count} x ${reason}`);
  return parts.length === 0 ? "" : ` (${parts.join("; ")})`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)}%`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(0)} kB`;
}
