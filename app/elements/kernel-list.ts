/**
 * `<kernel-list>`: the kernels of a step with their figures, in the order of any of them. Fires `kernel-pick` with the
 * kernel's number as `detail`.
 */
import { LitElement, html, nothing } from "lit";
import type { CSSResult, PropertyDeclarations, PropertyValues, TemplateResult } from "lit";
import { formatBytes, theme } from "hearth/elements";
import type { KernelReport } from "hearth";
import { formatCount, formatRate, formatShare, formatTime } from "../inspect/figures.ts";
import { kernelColor, kernelColors } from "../inspect/kernel-colors.ts";
import { kernelListStyles } from "./kernel-list-styles.ts";

type Column = "order" | "time" | "bytes" | "operations";

interface Row {
  readonly step: number;
  readonly kernel: KernelReport;
  readonly ms: number | null;
  readonly bytes: number;
}

const COLUMNS: readonly { readonly column: Column; readonly title: string }[] = [
  { column: "order", title: "Kernel" },
  { column: "time", title: "Time" },
  { column: "bytes", title: "Bytes" },
  { column: "operations", title: "Operations" },
];

class KernelList extends LitElement {
  static override properties: PropertyDeclarations = {
    kernels: { attribute: false },
    kernelMs: { attribute: false },
    picked: { type: Number },
    column: { state: true },
  };
  static override styles: CSSResult[] = [theme, kernelColors, kernelListStyles];

  declare kernels: readonly KernelReport[];
  declare kernelMs: readonly (number | null)[] | null;
  declare picked: number;
  declare protected column: Column;

  constructor() {
    super();
    this.kernels = [];
    this.kernelMs = null;
    this.picked = -1;
    this.column = "order";
  }

  protected override render(): TemplateResult {
    const rows = this.#rows();
    const totalMs = rows.reduce((sum, { ms }) => sum + (ms ?? 0), 0);
    return html`<div class="scroll" tabindex="0" role="region" aria-label="Kernels, a table that scrolls">
      <table role="table">
        <thead role="rowgroup">
          <tr role="row">
            ${COLUMNS.map(({ column, title }) => this.#heading(column, title))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          ${rows.map((row) => this.#row(row, totalMs))}
        </tbody>
      </table>
    </div>`;
  }

  #heading(column: Column, title: string): TemplateResult {
    const isSorted = column === this.column;
    const order = isSorted ? (column === "order" ? "ascending" : "descending") : nothing;
    return html`<th scope="col" role="columnheader" aria-sort=${order}>
      <button @click=${() => (this.column = column)}>${title}</button>
    </th>`;
  }

  #row({ step, kernel, ms, bytes }: Row, totalMs: number): TemplateResult {
    const isPicked = step === this.picked;
    return html`<tr role="row" ?data-picked=${isPicked} @click=${() => this.#pick(step)}>
      <th scope="row" role="rowheader">
        <button aria-pressed=${isPicked ? "true" : "false"}>
          <span class="step">${step}</span>
          <span class="chip" style="--color: ${kernelColor(step)}"></span>
          <span class="name" title=${kernel.name}>${kernel.name}</span>
        </button>
      </th>
      <td role="cell">
        ${ms === null ? "–" : formatTime(ms)}
        <small>${ms === null || totalMs === 0 ? nothing : formatShare(ms / totalMs)}</small>
      </td>
      <td role="cell">${formatBytes(bytes)} <small>${formatRate(bytes, ms, "B/s")}</small></td>
      <td role="cell">
        ${formatCount(kernel.operations)} <small>${formatRate(kernel.operations, ms, "FLOP/s")}</small>
      </td>
    </tr>`;
  }

  #rows(): Row[] {
    const rows = this.kernels.map((kernel, step): Row => {
      return { step, kernel, ms: this.kernelMs?.[step] ?? null, bytes: kernel.readBytes + kernel.writtenBytes };
    });
    switch (this.column) {
      case "order":
        return rows;
      case "time":
        return rows.sort((a, b) => (b.ms ?? -1) - (a.ms ?? -1));
      case "bytes":
        return rows.sort((a, b) => b.bytes - a.bytes);
      case "operations":
        return rows.sort((a, b) => b.kernel.operations - a.kernel.operations);
    }
  }

  /** A kernel picked elsewhere comes into view, within the list: the page stays where it is. */
  protected override updated(changed: PropertyValues): void {
    if (!changed.has("picked")) return;
    const scroll = this.renderRoot.querySelector<HTMLElement>(".scroll");
    const row = this.renderRoot.querySelector<HTMLElement>("[data-picked]");
    if (scroll === null || row === null) return;
    const head = this.renderRoot.querySelector("thead")?.clientHeight ?? 0;
    const above = row.offsetTop - head - scroll.scrollTop;
    const below = row.offsetTop + row.offsetHeight - scroll.scrollTop - scroll.clientHeight;
    if (above < 0) scroll.scrollTop += above;
    else if (below > 0) scroll.scrollTop += below;
  }

  #pick(step: number): void {
    this.dispatchEvent(new CustomEvent("kernel-pick", { detail: step, bubbles: true, composed: true }));
  }
}

customElements.define("kernel-list", KernelList);
