/**
 * `<kernel-graph>`: the graph of a step, as the operations made it and as it was lowered, there with each node in its
 * kernel's colour. Fires `kernel-pick` with a kernel's number as `detail` when a node is chosen that a kernel computes.
 *
 * Drawn on a canvas, where thousands of nodes cost no elements; so everything that can be done with a pointer can be
 * done with keys too, and the chosen node is told in words below, its neighbours as buttons.
 */
import { LitElement, html } from "lit";
import type { CSSResult, PropertyDeclarations, PropertyValues, TemplateResult } from "lit";
import { plural, theme } from "hearth/elements";
import type { KernelReport } from "hearth";
import type { GraphLook } from "../inspect/draw-graph.ts";
import { GraphCanvas } from "../inspect/graph-canvas.ts";
import { beside, foundNodes, readersOf } from "../inspect/graph-walk.ts";
import type { DrawnGraph } from "../inspect/inspect-api.ts";
import { KERNEL_COLORS, kernelColors } from "../inspect/kernel-colors.ts";
import { PointerDrag } from "../inspect/pointer-drag.ts";
import "./graph-node.ts";
import { choicesStyles } from "./choices-styles.ts";
import { kernelGraphStyles } from "./kernel-graph-styles.ts";

const ZOOM = 1.4;
const LOOK_NAMES = ["surface", "sunken", "ink", "muted", "edge", "ember"] as const;

class KernelGraph extends LitElement {
  static override properties: PropertyDeclarations = {
    graphBefore: { attribute: false },
    graphAfter: { attribute: false },
    kernels: { attribute: false },
    picked: { type: Number },
    isAfter: { state: true },
    node: { state: true },
    query: { state: true },
  };
  static override styles: CSSResult[] = [theme, kernelColors, choicesStyles, kernelGraphStyles];

  declare graphBefore: DrawnGraph | null;
  declare graphAfter: DrawnGraph | null;
  declare kernels: readonly KernelReport[];
  declare picked: number;
  declare protected isAfter: boolean;
  declare protected node: number;
  declare protected query: string;
  #canvas: GraphCanvas | null = null;
  #readers: readonly (readonly number[])[] = [];
  #found: number[] | null = null;
  readonly #scheme = matchMedia("(prefers-color-scheme: dark)");
  readonly #onScheme = (): void => this.#canvas?.recolour();
  readonly #drag = new PointerDrag({
    onDrag: (dx, dy) => this.#canvas?.pan(dx, dy),
    onPinch: (factor, x, y) => this.#canvas?.zoom(factor, x, y),
    onTap: (x, y) => this.#choose(this.#canvas?.nodeAt(x, y) ?? -1),
  });

  constructor() {
    super();
    this.graphBefore = this.graphAfter = null;
    this.kernels = [];
    this.picked = -1;
    this.isAfter = true;
    this.node = -1;
    this.query = "";
  }

  get #graph(): DrawnGraph | null {
    return this.isAfter ? this.graphAfter : this.graphBefore;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#scheme.addEventListener("change", this.#onScheme);
    if (this.hasUpdated) this.#openCanvas();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#scheme.removeEventListener("change", this.#onScheme);
    this.#canvas?.close();
    this.#canvas = null;
  }

  protected override firstUpdated(): void {
    this.#openCanvas();
  }

  protected override willUpdate(changed: PropertyValues): void {
    const graph = this.#graph;
    const isOther = changed.has("isAfter") || changed.has("graphAfter") || changed.has("graphBefore");
    if (isOther) {
      this.node = -1;
      this.#readers = graph === null ? [] : readersOf(graph);
    }
    if (isOther || changed.has("query")) {
      this.#found = graph === null ? null : foundNodes(graph, this.query);
    }
  }

  protected override updated(changed: PropertyValues): void {
    const graph = this.#graph;
    if (graph === null) return;
    const found = this.#found === null ? null : new Set(this.#found);
    this.#canvas?.show(graph, { node: this.node, kernel: this.isAfter ? this.picked : -1, found });
    if (!changed.has("picked") || !this.isAfter) return;
    // Chosen elsewhere: what the kernel stores comes into view.
    const [output] = this.kernels[this.picked]?.outputs ?? [];
    const isHere = graph.report.nodes[this.node]?.kernels.includes(this.picked) === true;
    if (output !== undefined && !isHere) this.#canvas?.reveal(output);
  }

  #openCanvas(): void {
    const [window, overview] = this.renderRoot.querySelectorAll("canvas");
    if (window === undefined || overview === undefined) return;
    this.#canvas = new GraphCanvas({ window, overview, look: () => this.#look() });
    this.requestUpdate();
  }

  #look(): GraphLook {
    const color = (name: string): string => {
      const probe = this.renderRoot.querySelector(`[data-color="${name}"]`);
      return probe ? getComputedStyle(probe).color : "gray";
    };
    const named = Object.fromEntries(LOOK_NAMES.map((name) => [name, color(name)]));
    return {
      ...(named as unknown as Pick<GraphLook, (typeof LOOK_NAMES)[number]>),
      kernels: KERNEL_COLORS.map((kernel) => color(`kernel-${kernel}`)),
      font: getComputedStyle(this).fontFamily,
    };
  }

  protected override render(): TemplateResult {
    const count = this.#graph?.report.nodes.length ?? 0;
    const pointer = (event: PointerEvent): void => this.#drag.handle(event);
    const names = [...LOOK_NAMES, ...KERNEL_COLORS.map((kernel) => `kernel-${kernel}`)];
    return html`
      <div class="tools">
        <div class="choices" role="group" aria-label="Graph">
          ${this.#choice(false, "Before")} ${this.#choice(true, "After")}
        </div>
        ${this.#search()}
        <div class="choices" role="group" aria-label="Zoom">
          <button aria-label="Zoom in" @click=${() => this.#canvas?.zoom(ZOOM)}>+</button>
          <button aria-label="Zoom out" @click=${() => this.#canvas?.zoom(1 / ZOOM)}>−</button>
          <button @click=${() => this.#canvas?.open()}>Start</button>
        </div>
      </div>
      <div class="frame">
        <div
          class="window"
          role="application"
          tabindex="0"
          aria-label="Graph ${this.isAfter ? "after" : "before"} lowering, ${plural(count, "node")}"
          aria-describedby="hint"
          @pointerdown=${pointer}
          @pointermove=${pointer}
          @pointerup=${pointer}
          @pointercancel=${pointer}
          @wheel=${(event: WheelEvent) => this.#wheel(event)}
          @keydown=${(event: KeyboardEvent) => this.#key(event)}
        >
          <canvas aria-hidden="true"></canvas>
        </div>
        <div
          class="overview"
          aria-hidden="true"
          @pointerdown=${(event: PointerEvent) => this.#jump(event)}
          @pointermove=${(event: PointerEvent) => event.buttons !== 0 && this.#jump(event)}
        >
          <canvas></canvas>
        </div>
      </div>
      <div class="probes" aria-hidden="true">
        ${names.map((name) => html`<i data-color=${name} style="color: var(--_${name})"></i>`)}
      </div>
      <p class="hint" id="hint">
        Drag to move, pinch or hold Ctrl and scroll to zoom. With keys: left to an input, right to a reader, up and down
        among neighbours, + and − to zoom.
      </p>
      <graph-node
        .graph=${this.#graph}
        .node=${this.node}
        .readers=${this.#readers[this.node] ?? []}
        .kernels=${this.kernels}
        @node-pick=${(event: CustomEvent<number>) => this.#choose(event.detail)}
      ></graph-node>
      <span class="unseen" role="status">${this.#summary()}</span>
    `;
  }

  #choice(isAfter: boolean, title: string): TemplateResult {
    const count = (isAfter ? this.graphAfter : this.graphBefore)?.report.nodes.length ?? 0;
    return html`<button
      aria-pressed=${isAfter === this.isAfter ? "true" : "false"}
      @click=${() => (this.isAfter = isAfter)}
    >
      ${title}, ${count}
    </button>`;
  }

  #search(): TemplateResult {
    const found = this.#found;
    const at = found?.indexOf(this.node) ?? -1;
    const told = found === null ? "" : at >= 0 ? `${at + 1} of ${found.length}` : `${found.length} found`;
    return html`<form role="search" @submit=${(event: SubmitEvent) => this.#next(event)}>
      <input
        type="search"
        aria-label="Search the graph"
        placeholder="Search: exp, 64x64, contraction"
        autocomplete="off"
        spellcheck="false"
        .value=${this.query}
        @input=${(event: Event) => (this.query = (event.target as HTMLInputElement).value)}
      />
      <output>${told}</output>
    </form>`;
  }

  #summary(): string {
    const node = this.#graph?.report.nodes[this.node];
    if (node === undefined) return "";
    const { label, shape, kernels } = node;
    return `${label}, ${shape.join(" by ")}${kernels.length === 0 ? "" : `, kernel ${kernels.join(", ")}`}`;
  }

  /** Looks at a node, and at the kernel that computes it. */
  #choose(id: number): void {
    this.node = id;
    if (id < 0) return;
    this.#canvas?.reveal(id);
    const kernels = this.#graph?.report.nodes[id]?.kernels ?? [];
    const [kernel] = kernels;
    if (kernel !== undefined && !kernels.includes(this.picked)) this.#pick(kernel);
  }

  #next(event: SubmitEvent): void {
    event.preventDefault();
    const found = this.#found ?? [];
    const at = found.indexOf(this.node);
    this.#choose(found[(at + 1) % Math.max(1, found.length)] ?? this.node);
  }

  #wheel(event: WheelEvent): void {
    // A plain wheel scrolls the page; a pinch on a trackpad comes as a wheel with ctrl.
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.#canvas?.zoom(Math.exp(-event.deltaY / 200), event.offsetX, event.offsetY);
  }

  #jump(event: PointerEvent): void {
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    const { left, top } = (event.currentTarget as HTMLElement).getBoundingClientRect();
    this.#canvas?.jump(event.clientX - left, event.clientY - top);
  }

  #key(event: KeyboardEvent): void {
    const graph = this.#graph;
    if (graph === null || event.ctrlKey || event.metaKey || event.altKey) return;
    const { node } = this;
    const step = (to: number | undefined): void => this.#choose(node < 0 ? this.#start() : (to ?? node));
    const actions: Readonly<Record<string, () => void>> = {
      ArrowLeft: () => step(graph.report.nodes[node]?.inputs[0]),
      ArrowRight: () => step(this.#readers[node]?.[0]),
      ArrowUp: () => step(beside(graph, node, "up")),
      ArrowDown: () => step(beside(graph, node, "down")),
      "+": () => this.#canvas?.zoom(ZOOM),
      "=": () => this.#canvas?.zoom(ZOOM),
      "-": () => this.#canvas?.zoom(1 / ZOOM),
      "0": () => this.#canvas?.open(),
      Escape: () => (this.node = -1),
    };
    const act = actions[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  }

  /** Where keys begin: what the chosen kernel stores, else what is in the middle, or the first while nothing is drawn. */
  #start(): number {
    const [output] = this.isAfter ? (this.kernels[this.picked]?.outputs ?? []) : [];
    return output ?? Math.max(0, this.#canvas?.nearestToMiddle() ?? 0);
  }

  #pick(step: number): void {
    this.dispatchEvent(new CustomEvent("kernel-pick", { detail: step, bubbles: true, composed: true }));
  }
}

customElements.define("kernel-graph", KernelGraph);
