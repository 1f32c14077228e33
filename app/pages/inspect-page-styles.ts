/** The inspecting page's layout: the fire with the step's flame chart in it, then kernels beside their source, the graph. */
import { css } from "lit";
import type { CSSResult } from "lit";

export const inspectPageStyles: CSSResult = css`
  :host {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 1.25rem;
  }
  .soot {
    padding: clamp(1.75rem, 4vw, 3.5rem) clamp(1.25rem, 4vw, 3.5rem) 1.75rem;
    border-radius: clamp(1.75rem, 7vw, 7rem) clamp(1.75rem, 7vw, 7rem) var(--_radius) var(--_radius);
    overflow: hidden;
  }
  h1 {
    font-size: clamp(1.75rem, 1.1rem + 2vw, 2.75rem);
    letter-spacing: -0.01em;
  }
  .lead {
    max-width: 40em;
    margin: 0.75rem 0 1.5rem;
    color: var(--_muted);
  }
  .choose {
    display: flex;
    flex-wrap: wrap;
    align-items: end;
    gap: 0.875rem 1rem;
  }
  .choose .field {
    flex: 1 1 14rem;
    max-width: 26rem;
  }
  .choose .field.device {
    flex: 0 1 11rem;
  }
  select {
    display: block;
    width: 100%;
    min-height: 2.75rem;
    margin-top: 0.375rem;
    padding: 0.5rem 0.75rem;
    border: 1px solid var(--_edge);
    border-radius: 0.625rem;
    background: var(--_sunken);
    color: var(--_ink);
    font: 1rem var(--_font);
  }
  .doing {
    display: flex;
    align-items: center;
    gap: 0.625rem;
    min-height: 1.75rem;
    margin: 1.25rem 0 0;
    font-family: var(--_display);
    font-size: 1.1875rem;
  }
  .doing:not([data-idle])::before {
    content: "";
    flex: none;
    width: 0.75rem;
    height: 0.75rem;
    border: 0.1875rem solid var(--_flame);
    border-radius: 50%;
    animation: glow 1.4s ease-in-out infinite alternate;
  }
  @keyframes glow {
    to {
      background: var(--_glow);
      box-shadow: 0 0 0.75rem var(--_glow);
    }
  }
  @media (prefers-reduced-motion: reduce) {
    .doing::before {
      animation: none;
    }
  }
  .trouble {
    margin-top: 1.25rem;
  }
  dl {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(100%, 9.5rem), 1fr));
    gap: 1rem 1.5rem;
    margin: 1.25rem 0 1.5rem;
  }
  dt {
    color: var(--_muted);
    font-size: 0.875rem;
  }
  dd {
    margin: 0;
    font-size: 1.0625rem;
    font-variant-numeric: tabular-nums;
    overflow-wrap: anywhere;
  }
  dd small {
    display: block;
    color: var(--_muted);
    font-size: 0.8125rem;
    line-height: 1.35;
  }
  .kernels {
    display: grid;
    grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
    gap: 1.25rem;
    align-items: start;
  }
  .buttons {
    display: flex;
    flex-wrap: wrap;
    gap: 0.75rem;
  }
  .text {
    max-height: 26rem;
    margin: 1rem 0 0;
    padding: 0.875rem 1rem;
    border: 1px solid var(--_rule);
    border-radius: 0.625rem;
    background: var(--_ground);
    font: 0.8125rem/1.5 var(--_mono);
    overflow: auto;
  }
  @media (max-width: 60rem) {
    .kernels {
      grid-template-columns: minmax(0, 1fr);
    }
  }
  @media (max-width: 40rem) {
    .soot {
      padding-top: 3rem;
      border-radius: 8rem 8rem var(--_radius) var(--_radius);
    }
    h1,
    .lead {
      text-align: center;
    }
    dl {
      grid-template-columns: repeat(2, minmax(0, 1fr));
    }
  }
`;
