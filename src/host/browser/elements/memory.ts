/**
 * `<hearth-memory>`: what a member's device memory holds, page by page, and what was done when it ran short. With
 * `compact` it is the map and one line, for many members side by side.
 */
import { html, nothing, svg } from "lit";
import type { CSSResult, PropertyDeclarations, TemplateResult } from "lit";
import type { MemorySummary } from "../../../network/wire/memory-summary.ts";
import { formatMemory, plural } from "./format.ts";
import { drawSlabs, type SlabDrawing } from "./memory-map.ts";
import { memoryStyles } from "./memory-styles.ts";
import { describeMap, describeUse, kindsOf, memoryFacts, pressureAnswers } from "./memory-words.ts";
import { theme } from "./theme.ts";
import { PacedElement, defineElement } from "./view-element.ts";

const COLUMNS = 32;
const COLUMNS_COMPACT = 48;

/** The page map of one member. Set `memory`. */
export class HearthMemory extends PacedElement {
  static override properties: PropertyDeclarations = {
    memory: { attribute: false },
    compact: { type: Boolean, reflect: true },
  };
  /** The theme's, and its own. */
  static override styles: CSSResult[] = [theme, memoryStyles];

  /** What to show: `view.memory`, or one of `view.memories`; null before anything is known. */
  declare memory: MemorySummary | null;
  /** The map and one line only. */
  declare compact: boolean;

  constructor() {
    super();
    this.memory = null;
    this.compact = false;
  }

  protected override render(): TemplateResult {
    const { memory } = this;
    if (!memory) return html`<p class="none">Nothing is known of this memory yet.</p>`;
    if (this.compact) return html`${map(memory, COLUMNS_COMPACT)} ${brief(memory)}`;
    return html`
      <p class="use number">${describeUse(memory)}</p>
      ${bar(memory)} ${map(memory, COLUMNS)}
      <p class="cell number">${cellHint(memory)}</p>
      ${legend(memory)} ${facts(memory)} ${pressure(memory)}
    `;
  }
}

function map(memory: MemorySummary, columnsMax: number): TemplateResult {
  const slabs = drawSlabs(memory, columnsMax);
  if (slabs.length === 0) return html`<p class="none">No memory is taken.</p>`;
  return html`<div class="map" role="img" aria-label=${describeMap(memory)} style="--columns-max: ${columnsMax}">
    ${slabs.map(slab)}
  </div>`;
}

function slab({ columns, rows, paths }: SlabDrawing): TemplateResult {
  return html`<svg viewBox="0 0 ${columns} ${rows}" style="--columns: ${columns}" aria-hidden="true">
    ${paths.map(({ use, path }) => svg`<path class=${use} d=${path}></path>`)}
  </svg>`;
}

function brief({ usedBytes, takenBytes, budgetBytes }: MemorySummary): TemplateResult {
  const most = budgetBytes === null ? `${formatMemory(takenBytes)} taken` : formatMemory(budgetBytes);
  return html`<p class="brief number">${formatMemory(usedBytes)} of ${most}</p>`;
}

/** Kinds, then what is taken and free, on a scale that ends at the budget, or at the most there was. */
function bar(memory: MemorySummary): TemplateResult {
  const { usedBytes, takenBytes, peakBytes, budgetBytes, bytesByKind } = memory;
  const scaleBytes = Math.max(budgetBytes ?? 0, takenBytes, peakBytes, 1);
  const percent = (bytes: number): string => `${((100 * bytes) / scaleBytes).toFixed(2)}%`;
  return html`<div class="bar" aria-hidden="true">
    ${kindsOf(memory).map((kind) => html`<i class=${kind} style="width: ${percent(bytesByKind[kind])}"></i>`)}
    <i class="taken" style="width: ${percent(Math.max(0, takenBytes - usedBytes))}"></i>
    <span class="mark" style="inset-inline-start: ${percent(peakBytes)}"></span>
    ${
      budgetBytes === null
        ? nothing
        : html`<span class="mark budget" style="inset-inline-start: ${percent(budgetBytes)}"></span>`
    }
  </div>`;
}

function cellHint({ pageBytes, pagesPerCell }: MemorySummary): string {
  const page = formatMemory(pageBytes);
  if (pagesPerCell === 1) return `Each cell is a page of ${page}.`;
  return `Each cell is ${plural(pagesPerCell, "page")} of ${page}: what most of them hold.`;
}

function legend(memory: MemorySummary): TemplateResult {
  const freeBytes = Math.max(0, memory.takenBytes - memory.usedBytes);
  return html`<ul class="legend number" aria-label="Memory by use">
    ${kindsOf(memory).map(
      (kind) => html`<li class=${kind}>${kind} <b>${formatMemory(memory.bytesByKind[kind])}</b></li>`,
    )}
    <li class="free">free <b>${formatMemory(freeBytes)}</b></li>
  </ul>`;
}

function facts(memory: MemorySummary): TemplateResult {
  return html`<dl class="number">
    ${memoryFacts(memory).map(
      ({ name, value, hint }) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value} <small>${hint}</small></dd>
        </div>`,
    )}
  </dl>`;
}

function pressure(memory: MemorySummary): TemplateResult | typeof nothing {
  const answers = pressureAnswers(memory);
  if (answers.length === 0) return nothing;
  return html`<p class="pressure number">When memory ran short: ${answers.join(", ")}.</p>`;
}

defineElement("hearth-memory", HearthMemory);

declare global {
  interface HTMLElementTagNameMap {
    "hearth-memory": HearthMemory;
  }
}
