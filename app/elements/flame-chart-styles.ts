/** The looks of `<flame-chart>`. */
import { css } from "lit";
import type { CSSResult } from "lit";

export const flameChartStyles: CSSResult = css`
  :host {
    display: block;
    min-width: 0;
  }
  .bar-of-tools {
    display: flex;
    flex-wrap: wrap;
    justify-content: space-between;
    gap: 0.5rem 1rem;
    margin-bottom: 0.75rem;
  }
  .whole {
    height: 1.5rem;
    margin-bottom: 2px;
    padding-inline: 0.5rem;
    border-radius: 0.375rem 0.375rem 0 0;
    background: color-mix(in srgb, var(--_flame), var(--_ground) 72%);
    font-size: 0.8125rem;
    line-height: 1.5rem;
    text-align: center;
  }
  .kernels {
    position: relative;
    height: 4rem;
    border-radius: 0 0 0.375rem 0.375rem;
    background: var(--_sunken);
    overflow: clip;
    touch-action: pan-y;
    user-select: none;
  }
  .kernel {
    position: absolute;
    top: 0;
    bottom: 0;
    min-width: 1px;
    border-inline-end: 1px solid var(--_sunken);
    background: var(--color);
    cursor: pointer;
    overflow: hidden;
    container-type: inline-size;
  }
  .kernel:hover {
    filter: brightness(1.15);
  }
  .kernel[aria-selected="true"] {
    z-index: 1;
    min-width: 3px;
    box-shadow:
      inset 0 0 0 0.125rem var(--_ground),
      0 0 0 0.125rem var(--_ink);
  }
  .kernel span {
    display: none;
    margin: 0.25rem;
    padding: 0 0.25rem;
    border-radius: 0.25rem;
    background: color-mix(in srgb, var(--_ground), transparent 12%);
    color: var(--_ink);
    font-size: 0.75rem;
    line-height: 1.3;
    max-height: 3.9em;
    overflow: hidden;
    overflow-wrap: anywhere;
  }
  @container (min-width: 4.5rem) {
    .kernel span {
      display: block;
    }
  }
  .ticks {
    display: flex;
    justify-content: space-between;
    margin-top: 0.25rem;
    color: var(--_muted);
    font-size: 0.75rem;
    font-variant-numeric: tabular-nums;
  }
  .readout {
    min-height: 2.6em;
    margin: 0.5rem 0 0;
    color: var(--_muted);
    font-size: 0.875rem;
    line-height: 1.3;
    overflow-wrap: anywhere;
  }
`;
