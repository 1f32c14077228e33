/** The looks of `<start-form>`. */
import { css } from "lit";
import type { CSSResult } from "lit";

export const startFormStyles: CSSResult = css`
  :host {
    display: block;
  }
  form {
    display: grid;
    gap: 1.25rem;
  }
  fieldset {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(100%, 13rem), 1fr));
    gap: 0.75rem;
    min-width: 0;
    margin: 0;
    padding: 0;
    border: 0;
  }
  .run {
    display: grid;
    align-content: start;
    gap: 0.375rem;
    padding: 1.125rem 1.25rem;
    border: 1px solid var(--_rule);
    border-radius: 0.75rem;
    cursor: pointer;
  }
  .run:hover {
    border-color: var(--_edge);
  }
  .run:has(:checked) {
    border-color: var(--_ember);
    background: color-mix(in srgb, var(--_glow), transparent 92%);
    box-shadow: inset 0 0 0 1px var(--_ember);
  }
  .run:has(:focus-visible) {
    outline: 0.1875rem solid var(--_ember);
    outline-offset: 0.1875rem;
  }
  .run input {
    width: 1.125rem;
    height: 1.125rem;
    margin: 0;
    accent-color: var(--_ember);
    outline: none;
  }
  @media (max-width: 40rem) {
    .run {
      grid-template-columns: auto 1fr;
      gap: 0.375rem 0.75rem;
    }
    .about {
      grid-column: 2;
    }
  }
  .title {
    font: 500 1.125rem/1.25 var(--_display);
  }
  .about {
    color: var(--_muted);
    font-size: 0.9375rem;
  }
  summary {
    width: fit-content;
    color: var(--_muted);
    cursor: pointer;
  }
  .options {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(100%, 10rem), 1fr));
    gap: 1rem;
    margin-top: 0.875rem;
  }
  .options .hint {
    grid-column: 1 / -1;
  }
  .main {
    justify-self: start;
    min-width: 12rem;
  }
`;
