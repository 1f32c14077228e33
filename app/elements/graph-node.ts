/**
 * `<graph-node>`: one node of a graph in words, its neighbours and kernels as buttons: what a canvas cannot say. Fires
 * `node-pick` and `kernel-pick` with a number as `detail`.
 */
import { LitElement, css, html, nothing } from "lit";
import type { CSSResult, PropertyDeclarations, TemplateResult } from "lit";
import { formatBytes, theme } from "hearth/elements";
import type { GraphNodeReport, KernelReport } from "hearth";
import { titleOf } from "../inspect/draw-graph.ts";
import type { DrawnGraph } from "../inspect/inspect-api.ts";
import { kernelColor, kernelColors } from "../inspect/kernel-colors.ts";

/** Neighbours that are told; a constant may have hundreds of readers. */
const LINKS_MAX = 12;

class GraphNode extends LitElement {
  static override properties: PropertyDeclarations = {
    graph: { attribute: false },
    node: { attribute: false },
    readers: { attribute: false },
    kernels: { attribute: false },
  };
  static override styles: CSSResult[] = [
    theme,
    kernelColors,
    css`
      .node {
        display: grid;
        gap: 0.375rem;
        margin-top: 0.75rem;
        padding: 0.875rem 1rem;
        border-radius: 0.625rem;
        background: var(--_sunken);
        font-size: 0.9375rem;
      }
      .node p {
        margin: 0;
      }
      .links {
        display: flex;
        flex-wrap: wrap;
        align-items: baseline;
        gap: 0.375rem 0.5rem;
      }
      .links button {
        max-width: 100%;
        padding: 0.125rem 0.625rem;
        border: 1px solid var(--_edge);
        border-radius: 0.5rem;
        background: transparent;
        color: var(--_ink);
        font: 0.875rem/1.5 var(--_font);
        text-align: start;
        overflow-wrap: anywhere;
        cursor: pointer;
      }
      .links button:hover {
        border-color: var(--_ember);
      }
      .links i {
        display: inline-block;
        width: 0.625rem;
        height: 0.625rem;
        margin-inline-end: 0.375rem;
        border-radius: 0.1875rem;
        background: var(--color);
      }
    `,
  ];

  declare graph: DrawnGraph | null;
  /** By its place; -1 for none. */
  declare node: number;
  /** Of the node. */
  declare readers: readonly number[];
  declare kernels: readonly KernelReport[];

  constructor() {
    super();
    this.graph = null;
    this.node = -1;
    this.readers = [];
    this.kernels = [];
  }

  protected override render(): TemplateResult | typeof nothing {
    const node = this.graph?.report.nodes[this.node];
    if (node === undefined) return nothing;
    const { label, shape, dtype, bytes, isStored, inputs, kernels, kind } = node;
    const where = kind === "buffer" ? ", in memory" : isStored ? ", stored" : kernels.length > 0 ? ", not stored" : "";
    return html`<div class="node">
      <p><strong>${label}</strong> [${shape.join(", ")}] ${dtype}, ${formatBytes(bytes)}${where}</p>
      ${this.#links("Reads", [...new Set(inputs)])} ${this.#links("Read by", this.readers)}
      ${
        kernels.length === 0
          ? nothing
          : html`<p class="links">
              Computed by ${kernels.slice(0, LINKS_MAX).map((step) => this.#kernel(step))} ${more(kernels)}
            </p>`
      }
    </div>`;
  }

  #links(what: string, ids: readonly number[]): TemplateResult | typeof nothing {
    if (ids.length === 0) return nothing;
    const nodes = ids.slice(0, LINKS_MAX).map((id) => this.graph?.report.nodes[id]);
    return html`<p class="links">
      ${what} ${nodes.map((node) => (node === undefined ? nothing : this.#link(node)))} ${more(ids)}
    </p>`;
  }

  #link(node: GraphNodeReport): TemplateResult {
    return html`<button @click=${() => this.#fire("node-pick", node.id)}>
      ${titleOf(node)} [${node.shape.join(", ")}]
    </button>`;
  }

  #kernel(step: number): TemplateResult {
    return html`<button @click=${() => this.#fire("kernel-pick", step)}>
      <i style="--color: ${kernelColor(step)}"></i>kernel ${step}: ${this.kernels[step]?.name}
    </button>`;
  }

  #fire(what: "node-pick" | "kernel-pick", detail: number): void {
    this.dispatchEvent(new CustomEvent(what, { detail, bubbles: true, composed: true }));
  }
}

function more(all: readonly number[]): string {
  return all.length > LINKS_MAX ? `and ${all.length - LINKS_MAX} more` : "";
}

customElements.define("graph-node", GraphNode);
