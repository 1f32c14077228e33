/** The looks of `.choices`: buttons in a row, of which one is pressed. */
import { css } from "lit";
import type { CSSResult } from "lit";

export const choicesStyles: CSSResult = css`
  .choices {
    display: inline-flex;
    border: 1px solid var(--_edge);
    border-radius: 0.5rem;
    overflow: hidden;
  }
  .choices button {
    min-width: 2.25rem;
    min-height: 2.25rem;
    padding: 0.125rem 0.75rem;
    border: 0;
    border-inline-start: 1px solid var(--_edge);
    background: transparent;
    color: var(--_ink);
    font: 0.875rem var(--_font);
    cursor: pointer;
  }
  .choices button:first-child {
    border-inline-start: 0;
  }
  .choices button:hover:not([disabled], [aria-pressed="true"]) {
    color: var(--_ember);
  }
  .choices button[aria-pressed="true"] {
    background: var(--_ember);
    color: var(--_on-ember);
  }
  .choices button[disabled] {
    color: var(--_muted);
    opacity: 0.6;
    cursor: default;
  }
  .choices button:focus-visible {
    outline-offset: -0.1875rem;
  }
`;
