/**
 * `<hearth-step-time>`: where the last step's time went on each tab: computing, sending, waiting for others. All bars
 * have one scale, so that the tab that the others wait for stands out.
 */
import { css, html, nothing } from "lit";
import type { CSSResult, TemplateResult } from "lit";
import type { StepTimes } from "../../../network/wire/run-line.ts";
import type { RoomView } from "../room-view.ts";
import { formatMs } from "./format.ts";
import { peerName } from "./peer-name.ts";
import { theme } from "./theme.ts";
import { ViewElement, defineElement } from "./view-element.ts";

const ROWS_MAX = 8;
const PARTS = ["compute", "network", "waiting"] as const;

interface Row {
  readonly label: string;
  readonly times: StepTimes;
}

/** The parts of a step's time, for each tab. Set `view`. */
export class HearthStepTime extends ViewElement {
  /** The theme's, and its own. */
  static override styles: CSSResult[] = [
    theme,
    css`
      :host {
        display: block;
      }
      .legend {
        display: flex;
        flex-wrap: wrap;
        gap: 0.25rem 1.25rem;
        margin: 0 0 1rem;
        color: var(--_muted);
        font-size: 0.875rem;
      }
      .legend span::before {
        content: "";
        display: inline-block;
        width: 0.75rem;
        height: 0.75rem;
        margin-inline-end: 0.375rem;
        border-radius: 0.1875rem;
        background: var(--part);
        vertical-align: -0.0625rem;
      }
      .compute {
        --part: var(--_compute);
      }
      .network {
        --part: var(--_network);
      }
      .waiting {
        --part: repeating-linear-gradient(
          -45deg,
          var(--_waiting) 0 0.1875rem,
          color-mix(in srgb, var(--_waiting), transparent 65%) 0.1875rem 0.375rem
        );
      }
      ul {
        display: grid;
        gap: 0.875rem;
        margin: 0;
        padding: 0;
        list-style: none;
      }
      .head {
        display: flex;
        justify-content: space-between;
        gap: 1rem;
        font-size: 0.875rem;
      }
      .total {
        color: var(--_muted);
        white-space: nowrap;
      }
      .bar {
        display: flex;
        gap: 2px;
        height: 0.875rem;
        margin-top: 0.25rem;
        border-radius: 0.25rem;
        overflow: hidden;
        background: var(--_sunken);
      }
      .bar i {
        background: var(--part);
        transition: width 0.2s;
      }
      .more,
      .none {
        margin: 0.875rem 0 0;
        color: var(--_muted);
        font-size: 0.875rem;
      }
      .none {
        margin: 0;
      }
      @media (prefers-reduced-motion: reduce) {
        .bar i {
          transition: none;
        }
      }
    `,
  ];

  protected override render(): TemplateResult {
    const rows = rowsOf(this.view);
    if (rows.length === 0) return html`<p class="none">The first step is still to come.</p>`;
    const longest = Math.max(...rows.map((row) => totalOf(row.times)), 1);
    const hidden = Object.keys(this.view?.lastStep?.times ?? {}).length - ROWS_MAX;
    return html`
      <p class="legend" aria-hidden="true">
        <span class="compute">compute</span><span class="network">network</span><span class="waiting">waiting</span>
      </p>
      <ul>
        ${rows.map((row) => bar(row, longest))}
      </ul>
      ${hidden > 0 ? html`<p class="more">And ${hidden} more, counted in the mean.</p>` : nothing}
    `;
  }
}

function totalOf(times: StepTimes): number {
  return times.compute + times.network + times.waiting;
}

/** The mean of all (where there are several), this tab, then the others, those that compute longest first. */
function rowsOf(view: RoomView | null): Row[] {
  const entries = Object.entries(view?.lastStep?.times ?? {});
  const isSelf = (peer: string): boolean => peer === view?.self;
  entries.sort(([a, x], [b, y]) => Number(isSelf(b)) - Number(isSelf(a)) || y.compute - x.compute);
  const rows = entries
    .slice(0, ROWS_MAX)
    .map(([peer, times]): Row => ({ label: isSelf(peer) ? `${peerName(peer)} (this tab)` : peerName(peer), times }));
  if (entries.length < 2) return rows;
  const mean = (part: keyof StepTimes): number => entries.reduce((sum, [, t]) => sum + t[part], 0) / entries.length;
  const times = { compute: mean("compute"), network: mean("network"), waiting: mean("waiting") };
  return [{ label: `Mean of ${entries.length} tabs`, times }, ...rows];
}

function bar({ label, times }: Row, longestMs: number): TemplateResult {
  const spelled = PARTS.map((part) => `${part} ${formatMs(times[part])}`).join(", ");
  return html`<li>
    <div class="head"><span>${label}</span><span class="total number">${formatMs(totalOf(times))}</span></div>
    <div class="bar" title=${spelled} aria-hidden="true">
      ${PARTS.map((part) => html`<i class=${part} style="width: ${(100 * times[part]) / longestMs}%"></i>`)}
    </div>
    <span class="unseen">${spelled}</span>
  </li>`;
}

defineElement("hearth-step-time", HearthStepTime);

declare global {
  interface HTMLElementTagNameMap {
    "hearth-step-time": HearthStepTime;
  }
}
