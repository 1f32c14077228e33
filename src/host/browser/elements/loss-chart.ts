/**
 * `<hearth-loss-chart>`: the loss of every committed step and the trend through it, burning down like a fuse.
 *
 * Fills the width it is given and as much height as `--hearth-chart-height` says (18rem by default). uPlot draws on a
 * canvas, so colours are read from probes in the shadow root each time the colour scheme changes.
 */
import { css, html } from "lit";
import type { CSSResult, TemplateResult } from "lit";
import uPlot from "uplot";
import { lossChartOptions } from "./loss-chart-options.ts";
import type { ChartColors } from "./loss-chart-options.ts";
import { describeLoss, lossSeries } from "./loss-series.ts";
import type { LossSeries } from "./loss-series.ts";
import { theme } from "./theme.ts";
import { ViewElement, defineElement } from "./view-element.ts";

const POINTS_MAX = 800; // More than a chart has pixels to tell apart; a redraw stays under 5 ms.

/** The loss curve of a room. Set `view`. */
export class HearthLossChart extends ViewElement {
  /** The theme's, and its own. */
  static override styles: CSSResult[] = [
    theme,
    css`
      :host {
        display: block;
        min-width: 0;
      }
      .frame {
        position: relative;
        height: var(--hearth-chart-height, 18rem);
      }
      .plot {
        position: absolute;
        inset: 0;
        overflow: hidden;
      }
      .plot[data-empty] {
        visibility: hidden;
      }
      .empty {
        position: absolute;
        inset: 0;
        display: grid;
        place-content: center;
        margin: 0;
        color: var(--_muted);
        text-align: center;
      }
      .probes i {
        display: none;
      }
      .u-wrap {
        position: relative;
        user-select: none;
      }
      .u-over,
      .u-under,
      .u-axis {
        position: absolute;
      }
      .uplot canvas {
        display: block;
        position: relative;
        width: 100%;
        height: 100%;
      }
      .u-select,
      .u-cursor-y,
      .u-off {
        display: none;
      }
      .u-cursor-x,
      .u-cursor-pt {
        position: absolute;
        inset: 0 auto auto 0;
        pointer-events: none;
        will-change: transform;
      }
      .u-cursor-x {
        height: 100%;
        border-inline-end: 1px dashed var(--_edge);
      }
      .u-cursor-pt {
        border-radius: 50%;
      }
      .readout {
        position: absolute;
        inset: 0 0 auto auto;
        margin: 0;
        padding: 0.125rem 0.5rem;
        border-radius: 0.375rem;
        background: var(--_surface);
        color: var(--_ink);
        font-size: 0.8125rem;
      }
    `,
  ];

  #plot: uPlot | null = null;
  #series: LossSeries = lossSeries([], POINTS_MAX);
  #drawn: unknown = null;
  readonly #resize = new ResizeObserver(() => this.#fit());
  readonly #scheme = matchMedia("(prefers-color-scheme: dark)");
  readonly #onScheme = (): void => this.#rebuild();

  override connectedCallback(): void {
    super.connectedCallback();
    this.#scheme.addEventListener("change", this.#onScheme);
    if (this.hasUpdated) this.#observe();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#scheme.removeEventListener("change", this.#onScheme);
    this.#resize.disconnect();
    this.#plot?.destroy();
    this.#plot = null;
  }

  protected override willUpdate(): void {
    const history = this.view?.history ?? [];
    if (history === this.#drawn) return;
    this.#series = lossSeries(history, POINTS_MAX);
  }

  protected override render(): TemplateResult {
    const isEmpty = this.#series.steps.length === 0;
    return html`
      <div class="frame" role="img" aria-label=${describeLoss(this.#series)}>
        <div class="plot" ?data-empty=${isEmpty}></div>
        <p class="readout number" hidden></p>
        ${isEmpty ? html`<p class="empty">The curve begins with the first step.</p>` : null}
      </div>
      <div class="probes" aria-hidden="true">
        ${COLOR_NAMES.map((name) => html`<i data-color=${name} style="color: var(--_${name})"></i>`)}
      </div>
    `;
  }

  protected override firstUpdated(): void {
    this.#observe();
  }

  protected override updated(): void {
    const history = this.view?.history ?? [];
    if (history === this.#drawn) return;
    this.#drawn = history;
    this.#plot?.setData(this.#columns());
  }

  #observe(): void {
    const plot = this.renderRoot.querySelector(".plot");
    if (plot) this.#resize.observe(plot);
  }

  #columns(): uPlot.AlignedData {
    const { steps, losses, smooth } = this.#series;
    return [steps as number[], losses as number[], smooth as number[]];
  }

  #fit(): void {
    const { clientWidth: width = 0, clientHeight: height = 0 } = this.renderRoot.querySelector(".plot") ?? {};
    if (width === 0 || height === 0) return;
    if (this.#plot) this.#plot.setSize({ width, height });
    else this.#rebuild();
  }

  #rebuild(): void {
    const target = this.renderRoot.querySelector<HTMLElement>(".plot");
    if (!target || target.clientWidth === 0) return;
    this.#plot?.destroy();
    const { clientWidth: width, clientHeight: height } = target;
    const fontPx = Math.round(Number.parseFloat(getComputedStyle(this).fontSize) * 0.8);
    const options = lossChartOptions({
      width,
      height,
      font: `${fontPx}px ${getComputedStyle(this).fontFamily}`,
      fontPx,
      colors: this.#colors(),
      onPoint: (step, loss) => this.#read(step, loss),
    });
    this.#plot = new uPlot(options, this.#columns(), target);
  }

  #colors(): ChartColors {
    const color = (name: string): string => {
      const probe = this.renderRoot.querySelector(`[data-color="${name}"]`);
      return probe ? getComputedStyle(probe).color : "gray";
    };
    return Object.fromEntries(COLOR_NAMES.map((name) => [name, color(name)])) as unknown as ChartColors;
  }

  #read(step: number | null, loss: number | null): void {
    const readout = this.renderRoot.querySelector<HTMLElement>(".readout");
    if (!readout) return;
    readout.hidden = step === null || loss === null;
    readout.textContent = readout.hidden ? "" : `step ${step}: ${loss?.toFixed(3)}`;
  }
}

const COLOR_NAMES = ["muted", "rule", "glow", "flame", "surface"] as const;

defineElement("hearth-loss-chart", HearthLossChart);

declare global {
  interface HTMLElementTagNameMap {
    "hearth-loss-chart": HearthLossChart;
  }
}
