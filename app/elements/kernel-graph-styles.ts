/** The looks of `<kernel-graph>`. */
import { css } from "lit";
import type { CSSResult } from "lit";

export const kernelGraphStyles: CSSResult = css`
  :host {
    display: block;
    min-width: 0;
  }
  .tools {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.625rem 1rem;
    margin-bottom: 0.75rem;
  }
  form {
    display: flex;
    flex: 1 1 16rem;
    align-items: center;
    gap: 0.625rem;
  }
  input {
    flex: 1 1 8rem;
    min-width: 0;
    min-height: 2.25rem;
    padding: 0.25rem 0.75rem;
    border: 1px solid var(--_edge);
    border-radius: 0.5rem;
    background: var(--_ground);
    color: var(--_ink);
    font: 0.9375rem var(--_font);
  }
  output {
    flex: none;
    min-width: 5.5em;
    color: var(--_muted);
    font-size: 0.875rem;
  }
  .frame {
    border: 1px solid var(--_rule);
    border-radius: 0.625rem;
    background: var(--_ground);
    overflow: hidden;
  }
  .window {
    position: relative;
    height: clamp(18rem, 56vh, 36rem);
    touch-action: pan-y;
    cursor: grab;
  }
  .window:active {
    cursor: grabbing;
  }
  .window:focus-visible {
    outline-offset: -0.1875rem;
    border-radius: 0.625rem 0.625rem 0 0;
  }
  canvas {
    position: absolute;
    inset: 0;
    width: 100%;
    height: 100%;
  }
  .overview {
    position: relative;
    height: 3.5rem;
    border-top: 1px solid var(--_rule);
    touch-action: none;
    cursor: pointer;
  }
  .probes i {
    display: none;
  }
  .hint {
    margin: 0.625rem 0 0;
    color: var(--_muted);
    font-size: 0.875rem;
  }
`;
