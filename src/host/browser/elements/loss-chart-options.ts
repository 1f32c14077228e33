/** How uPlot draws a loss curve: noise faint behind, the trend as a glowing line, an ember at its newest point. */
import type uPlot from "uplot";

/** Colours that a canvas understands. */
export interface ChartColors {
  readonly muted: string;
  readonly rule: string;
  readonly glow: string;
  readonly flame: string;
  readonly surface: string;
}

export interface LossChartSetup {
  readonly width: number;
  readonly height: number;
  readonly font: string;
  readonly fontPx: number;
  readonly colors: ChartColors;
  /** The step under the pointer; nulls when it leaves. */
  readonly onPoint: (step: number | null, loss: number | null) => void;
}

/** uPlot's options for columns of [steps, losses, trend]. */
export function lossChartOptions(setup: LossChartSetup): uPlot.Options {
  const { width, height, font, fontPx, colors } = setup;
  const axis = { font, stroke: colors.muted, ticks: { show: false }, gap: Math.round(fontPx / 2) };
  const grid = { stroke: colors.rule, width: 1 };
  return {
    width,
    height,
    padding: [fontPx, Math.round(fontPx * 1.25), 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 8, fill: colors.flame } },
    scales: { x: { time: false, range: wholeSteps }, y: { range: withRoom } },
    axes: [
      { ...axis, grid: { show: false }, size: fontPx * 2.2, space: fontPx * 6, incrs: STEP_INCREMENTS },
      { ...axis, grid, size: fontPx * 3.2, space: fontPx * 3.5 },
    ],
    series: [
      {},
      { stroke: withAlpha(colors.glow, 0.4), width: 1, points: { show: false } },
      {
        width: 3,
        cap: "round",
        stroke: (plot) => burning(plot, colors),
        fill: (plot) => glowBelow(plot, colors),
        points: { show: false },
      },
    ],
    hooks: {
      draw: [(plot) => drawEmber(plot, colors)],
      setCursor: [
        (plot) => {
          const at = plot.cursor.idx;
          const [steps, losses] = plot.data;
          setup.onPoint(at == null ? null : (steps[at] ?? null), at == null ? null : (losses?.[at] ?? null));
        },
      ],
    },
  };
}

const STEP_INCREMENTS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 100_000];

function wholeSteps(_plot: uPlot, from: number, to: number): uPlot.Range.MinMax {
  return [from, Math.max(to, from + 10)];
}

/** A little air above and below, and never less than a tenth of a nat, so that a flat curve looks flat. */
function withRoom(_plot: uPlot, from: number | null, to: number | null): uPlot.Range.MinMax {
  if (from === null || to === null) return [0, 1];
  const room = Math.max(0.05, (to - from) * 0.08);
  return [Math.max(0, from - room), to + room];
}

/** Along the line: burnt where it is old, bright where it burns now. */
function burning(plot: uPlot, colors: ChartColors): CanvasGradient {
  const { left, width } = plot.bbox;
  const gradient = plot.ctx.createLinearGradient(left, 0, left + width, 0);
  gradient.addColorStop(0, withAlpha(colors.glow, 0.75));
  gradient.addColorStop(0.6, colors.glow);
  gradient.addColorStop(1, colors.flame);
  return gradient;
}

function glowBelow(plot: uPlot, colors: ChartColors): CanvasGradient {
  const { top, height } = plot.bbox;
  const gradient = plot.ctx.createLinearGradient(0, top, 0, top + height);
  gradient.addColorStop(0, withAlpha(colors.glow, 0.38));
  gradient.addColorStop(1, withAlpha(colors.glow, 0.02));
  return gradient;
}

function drawEmber(plot: uPlot, colors: ChartColors): void {
  const steps = plot.data[0];
  const step = steps.at(-1);
  const trend = plot.data[2]?.at(-1);
  if (step === undefined || trend === undefined || trend === null) return;
  const { ctx } = plot;
  const [x, y] = [plot.valToPos(step, "x", true), plot.valToPos(trend, "y", true)];
  const radius = 4 * devicePixelRatio;
  ctx.save();
  const halo = ctx.createRadialGradient(x, y, 0, x, y, radius * 4);
  halo.addColorStop(0, withAlpha(colors.flame, 0.65));
  halo.addColorStop(1, withAlpha(colors.flame, 0));
  for (const [fill, size] of [
    [halo, radius * 4],
    [colors.flame, radius],
  ] as const) {
    ctx.fillStyle = fill;
    ctx.beginPath();
    ctx.arc(x, y, size, 0, 2 * Math.PI);
    ctx.fill();
  }
  ctx.restore();
}

/** "rgb(1, 2, 3)" with another opacity. Computed colours have this form; any other is left as it is. */
function withAlpha(color: string, alpha: number): string {
  const channels = /^rgba?\(([\d.]+), ([\d.]+), ([\d.]+)/.exec(color);
  return channels ? `rgba(${channels[1]}, ${channels[2]}, ${channels[3]}, ${alpha})` : color;
}
