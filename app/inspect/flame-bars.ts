/** Bars of a flame chart and the span of it that is shown: pure; everything in shares of the whole. */

/** A kernel's part of the step. */
export interface FlameBar {
  readonly start: number;
  readonly share: number;
}

/** What is shown, from 0 to 1. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** The deepest zoom: a thousandth of the step across the chart. */
const SPAN_MIN = 0.001;

/** One bar for each value, side by side in order. Without any values above 0, all are alike. */
export function flameBars(values: readonly number[]): FlameBar[] {
  const total = values.reduce((sum, value) => sum + value, 0);
  let start = 0;
  return values.map((value) => {
    const share = total > 0 ? value / total : 1 / values.length;
    const bar = { start, share };
    start += share;
    return bar;
  });
}

/** `span` made smaller by `factor`, `at` staying where it is in the chart. */
export function zoomedSpan({ from, to }: Span, factor: number, at: number): Span {
  const width = Math.min(1, Math.max(SPAN_MIN, (to - from) / factor));
  const before = Math.min(1, Math.max(0, (at - from) / (to - from)));
  const start = Math.min(Math.max(0, at - before * width), 1 - width);
  return { from: start, to: start + width };
}

/** `span` moved so that `bar` is in it, or its start where the bar is wider. */
export function keptInView({ from, to }: Span, { start, share }: FlameBar): Span {
  const width = to - from;
  const end = Math.min(start + share, start + width);
  const moved = start < from ? start : end > to ? end - width : from;
  const kept = Math.min(Math.max(0, moved), 1 - width);
  return { from: kept, to: kept + width };
}
