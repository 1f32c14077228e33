/**
 * `<flame-chart>`: a step as it burns: its kernels in order, each as wide as its share of the time, or of the bytes or
 * operations where no time is known. Fires `kernel-pick` with the kernel's number as `detail`.
 *
 * One stop for the keyboard: arrows go from kernel to kernel, Home and End to the ends, + and - zoom, 0 shows all.
 */
import { LitElement, html, nothing } from "lit";
import type { CSSResult, PropertyDeclarations, PropertyValues, TemplateResult } from "lit";
import { formatBytes, theme } from "hearth/elements";
import type { KernelReport } from "hearth";
import { formatCount, formatRate, formatShare, formatTime } from "../inspect/figures.ts";
import { flameBars, keptInView, zoomedSpan } from "../inspect/flame-bars.ts";
import type { FlameBar, Span } from "../inspect/flame-bars.ts";
import { kernelColor, kernelColors } from "../inspect/kernel-colors.ts";
import { choicesStyles } from "./choices-styles.ts";
import { flameChartStyles } from "./flame-chart-styles.ts";

export type FlameMeasure = "time" | "bytes" | "operations";

const WHOLE: Span = { from: 0, to: 1 };
const ZOOM = 1.6;
const TICKS = 5;

class FlameChart extends LitElement {
  static override properties: PropertyDeclarations = {
    kernels: { attribute: false },
    kernelMs: { attribute: false },
    picked: { type: Number },
    measure: { state: true },
    span: { state: true },
    hovered: { state: true },
  };
  static override styles: CSSResult[] = [theme, kernelColors, choicesStyles, flameChartStyles];

  declare kernels: readonly KernelReport[];
  declare kernelMs: readonly (number | null)[] | null;
  declare picked: number;
  declare protected measure: FlameMeasure;
  declare protected span: Span;
  declare protected hovered: number | null;
  #bars: readonly FlameBar[] = [];
  #total = 0;
  #dragFromX: number | null = null;

  constructor() {
    super();
    this.kernels = [];
    this.kernelMs = null;
    this.picked = -1;
    this.measure = "time";
    this.span = WHOLE;
    this.hovered = null;
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("kernels")) {
      this.span = WHOLE;
      this.hovered = null;
    }
    const values = this.kernels.map((_, step) => this.#value(step));
    this.#total = values.reduce((sum, value) => sum + value, 0);
    this.#bars = flameBars(values);
    const bar = this.#bars[this.picked];
    if (changed.has("picked") && bar !== undefined) this.span = keptInView(this.span, bar);
  }

  /** Time only where there is some. */
  get #shown(): FlameMeasure {
    const isTimed = this.kernelMs?.some((ms) => ms !== null && ms > 0) === true;
    return this.measure === "time" && !isTimed ? "bytes" : this.measure;
  }

  #value(step: number): number {
    const kernel = this.kernels[step];
    if (kernel === undefined) return 0;
    if (this.#shown === "time") return this.kernelMs?.[step] ?? 0;
    return this.#shown === "bytes" ? kernel.readBytes + kernel.writtenBytes : kernel.operations;
  }

  protected override render(): TemplateResult {
    const { from, to } = this.span;
    const told = this.hovered ?? (this.picked >= 0 ? this.picked : null);
    const isWhole = from === 0 && to === 1;
    return html`
      <div class="bar-of-tools">
        <div class="choices" role="group" aria-label="Widths by">
          ${(["time", "bytes", "operations"] as const).map((measure) => this.#choice(measure))}
        </div>
        <div class="choices" role="group" aria-label="Zoom">
          <button aria-label="Zoom in" @click=${() => this.#zoom(ZOOM)}>+</button>
          <button aria-label="Zoom out" ?disabled=${isWhole} @click=${() => this.#zoom(1 / ZOOM)}>−</button>
          <button ?disabled=${isWhole} @click=${() => (this.span = WHOLE)}>All</button>
        </div>
      </div>
      <div class="chart" @wheel=${(event: WheelEvent) => this.#wheel(event)}>
        <div class="whole" aria-hidden="true"><span>the step, ${this.#format(this.#total)}</span></div>
        <div
          class="kernels"
          role="listbox"
          tabindex="0"
          aria-label="Kernels in order, widths by ${this.#shown}"
          aria-orientation="horizontal"
          aria-activedescendant=${this.picked >= 0 ? `kernel-${this.picked}` : nothing}
          @keydown=${(event: KeyboardEvent) => this.#key(event)}
          @pointerdown=${(event: PointerEvent) => (this.#dragFromX = event.clientX)}
          @pointermove=${(event: PointerEvent) => this.#drag(event)}
          @pointerup=${() => (this.#dragFromX = null)}
          @pointerleave=${() => ((this.hovered = null), (this.#dragFromX = null))}
        >
          ${this.#bars.map((bar, step) => this.#bar(bar, step))}
        </div>
        <div class="ticks" aria-hidden="true">
          ${Array.from({ length: TICKS }, (_, i) => {
            return html`<span>${this.#format(this.#total * (from + ((to - from) * i) / (TICKS - 1)))}</span>`;
          })}
        </div>
      </div>
      <p class="readout number">
        ${told === null ? "Point at a bar, or walk along them with the arrow keys." : this.#tell(told)}
      </p>
    `;
  }

  #choice(measure: FlameMeasure): TemplateResult {
    return html`<button
      aria-pressed=${measure === this.#shown ? "true" : "false"}
      ?disabled=${measure === "time" && this.#shown !== "time" && this.measure === "time"}
      @click=${() => (this.measure = measure)}
    >
      ${measure}
    </button>`;
  }

  #bar({ start, share }: FlameBar, step: number): TemplateResult | typeof nothing {
    const { from, to } = this.span;
    const [left, width] = [(start - from) / (to - from), share / (to - from)];
    if (step !== this.picked && (left > 1 || left + width < 0)) return nothing;
    const name = this.kernels[step]?.name ?? "";
    return html`<div
      id="kernel-${step}"
      class="kernel"
      role="option"
      aria-selected=${step === this.picked ? "true" : "false"}
      aria-label=${this.#tell(step)}
      style="left: ${100 * left}%; width: ${100 * width}%; --color: ${kernelColor(step)}"
      @click=${() => this.#pick(step)}
      @pointerenter=${() => (this.hovered = step)}
    >
      <span>${name}</span>
    </div>`;
  }

  /** "12: sum [8, 64] -> [8, 1]. 1.20 ms, 12.3 % of the step, 1.20 GB/s, 3.40 GFLOP/s" */
  #tell(step: number): string {
    const kernel = this.kernels[step];
    if (kernel === undefined) return "";
    const ms = this.kernelMs?.[step] ?? null;
    const bytes = kernel.readBytes + kernel.writtenBytes;
    const share = this.#bars[step]?.share ?? 0;
    const rates =
      ms === null || ms <= 0
        ? [formatBytes(bytes), `${formatCount(kernel.operations)} operations`]
        : [formatTime(ms), formatRate(bytes, ms, "B/s"), formatRate(kernel.operations, ms, "FLOP/s")];
    return `${step}: ${kernel.name}. ${[...rates, `${formatShare(share)} of the ${this.#shown}`].join(", ")}`;
  }

  #format(value: number): string {
    if (this.#shown === "time") return formatTime(value);
    return this.#shown === "bytes" ? formatBytes(value) : formatCount(value);
  }

  #zoom(factor: number, at: number = (this.span.from + this.span.to) / 2): void {
    this.span = zoomedSpan(this.span, factor, at);
  }

  #wheel(event: WheelEvent): void {
    // A plain wheel scrolls the page; a pinch on a trackpad comes as a wheel with ctrl.
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const { left, width } = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const at = this.span.from + ((event.clientX - left) / width) * (this.span.to - this.span.from);
    this.#zoom(Math.exp(-event.deltaY / 200), at);
  }

  #drag(event: PointerEvent): void {
    if (this.#dragFromX === null || event.buttons === 0) return;
    const { width } = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const moved = ((this.#dragFromX - event.clientX) / width) * (this.span.to - this.span.from);
    this.#dragFromX = event.clientX;
    const by = Math.min(Math.max(moved, -this.span.from), 1 - this.span.to);
    this.span = { from: this.span.from + by, to: this.span.to + by };
  }

  #key(event: KeyboardEvent): void {
    const last = this.kernels.length - 1;
    const bar = this.#bars[this.picked];
    const middle = bar === undefined ? undefined : bar.start + bar.share / 2;
    const actions: Readonly<Record<string, () => void>> = {
      ArrowRight: () => this.#pick(Math.min(last, this.picked + 1)),
      ArrowLeft: () => this.#pick(Math.max(0, this.picked - 1)),
      Home: () => this.#pick(0),
      End: () => this.#pick(last),
      "+": () => this.#zoom(ZOOM, middle),
      "=": () => this.#zoom(ZOOM, middle),
      "-": () => this.#zoom(1 / ZOOM, middle),
      "0": () => (this.span = WHOLE),
    };
    const act = actions[event.key];
    if (act === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  }

  #pick(step: number): void {
    this.dispatchEvent(new CustomEvent("kernel-pick", { detail: step, bubbles: true, composed: true }));
  }
}

customElements.define("flame-chart", FlameChart);
