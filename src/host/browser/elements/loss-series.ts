/** The loss curve as columns to draw: pure, so that a rollback or a noisy batch can be tested without a canvas. */
import type { HistoryPoint } from "../../../network/wire/messages.ts";

/** Columns of equal length, `steps` strictly ascending. */
export interface LossSeries {
  readonly steps: readonly number[];
  readonly losses: readonly number[];
  /** The trend through the noise of single batches. */
  readonly smooth: readonly number[];
}

/**
 * `history` in columns of at most `pointsMax`, with its trend: an exponential average forwards and one backwards, over
 * about a twentieth of the run each, and their mean. One alone would trail behind a falling curve; the two trail to
 * opposite sides. Each is corrected for its start (as Adam's moments are), which would pull towards zero.
 *
 * Steps done again after a rollback replace those before it; losses that are no numbers are left out.
 */
export function lossSeries(history: readonly HistoryPoint[], pointsMax: number): LossSeries {
  const points: HistoryPoint[] = [];
  for (const point of history) {
    while (points.length > 0 && (points.at(-1)?.step ?? 0) >= point.step) points.pop();
    if (Number.isFinite(point.loss)) points.push(point);
  }
  const losses = points.map((point) => point.loss);
  const keep = Math.exp(-1 / Math.max(2, points.length / 20));
  const forwards = average(losses, keep);
  const backwards = average(losses.toReversed(), keep).reverse();
  const smooth = forwards.map((value, index) => (value + (backwards[index] ?? value)) / 2);
  const stride = Math.max(1, Math.ceil(points.length / pointsMax));
  // Counted from the end, so that the newest point is always there.
  const drawn = <T>(column: readonly T[]): T[] => column.filter((_, at) => (column.length - 1 - at) % stride === 0);
  return { steps: drawn(points.map((point) => point.step)), losses: drawn(losses), smooth: drawn(smooth) };
}

function average(values: readonly number[], keep: number): number[] {
  let sum = 0;
  let weight = 0;
  return values.map((value) => {
    sum = sum * keep + value * (1 - keep);
    weight = weight * keep + (1 - keep);
    return sum / weight;
  });
}

/** The curve in one sentence, for those who do not see it. */
export function describeLoss(series: LossSeries): string {
  const [start, end] = [series.losses[0], series.smooth.at(-1)];
  if (start === undefined || end === undefined) return "Loss curve: no step yet.";
  const from = `Loss curve: ${start.toFixed(2)} at step ${series.steps[0]}`;
  return `${from}, now ${end.toFixed(2)} at step ${series.steps.at(-1)}.`;
}
