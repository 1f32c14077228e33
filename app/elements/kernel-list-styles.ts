/** The looks of `<kernel-list>`. */
import { css } from "lit";
import type { CSSResult } from "lit";

export const kernelListStyles: CSSResult = css`
  :host {
    display: block;
    min-width: 0;
  }
  .scroll {
    max-height: 34rem;
    overflow: auto;
    border: 1px solid var(--_rule);
    border-radius: 0.625rem;
  }
  table {
    width: 100%;
    border-collapse: collapse;
    font-size: 0.875rem;
    font-variant-numeric: tabular-nums;
  }
  thead th {
    position: sticky;
    top: 0;
    z-index: 1;
    padding: 0;
    background: var(--_sunken);
    text-align: end;
  }
  thead th:first-child {
    text-align: start;
  }
  thead button {
    width: 100%;
    padding: 0.5rem 0.75rem;
    border: 0;
    background: none;
    color: var(--_muted);
    font: 600 0.8125rem/1.2 var(--_font);
    text-align: inherit;
    white-space: nowrap;
    cursor: pointer;
  }
  thead button:hover,
  [aria-sort] button {
    color: var(--_ink);
  }
  [aria-sort="descending"] button::after {
    content: " ↓";
  }
  [aria-sort="ascending"] button::after {
    content: " ↑";
  }
  button:focus-visible {
    outline-offset: -0.1875rem;
  }
  tbody tr {
    border-top: 1px solid var(--_rule);
    cursor: pointer;
  }
  tbody tr:hover {
    background: color-mix(in srgb, var(--_glow), transparent 94%);
  }
  tbody tr[data-picked] {
    background: color-mix(in srgb, var(--_glow), transparent 86%);
    box-shadow: inset 0.1875rem 0 var(--_ember);
  }
  td,
  tbody th {
    padding: 0.375rem 0.75rem;
    font-weight: 400;
    text-align: end;
    vertical-align: top;
    white-space: nowrap;
  }
  tbody th {
    width: 100%;
    min-width: 11rem;
    text-align: start;
    white-space: normal;
  }
  tbody button {
    display: flex;
    gap: 0.5rem;
    width: 100%;
    padding: 0;
    border: 0;
    background: none;
    color: inherit;
    font: inherit;
    text-align: start;
    overflow-wrap: anywhere;
    cursor: pointer;
  }
  .chip {
    flex: none;
    width: 0.625rem;
    height: 0.625rem;
    margin-top: 0.3125rem;
    border-radius: 0.1875rem;
    background: var(--color);
  }
  .step {
    flex: none;
    min-width: 1.75em;
    color: var(--_muted);
    text-align: end;
  }
  /* What was joined into one kernel has a long name; beside the source it stands whole. */
  .name {
    display: -webkit-box;
    overflow: hidden;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 2;
  }
  small {
    display: block;
    color: var(--_muted);
    font-size: 0.75rem;
  }
  /* On a phone the figures stand below the name. */
  @media (max-width: 40rem) {
    tr {
      display: grid;
      grid-template-columns: repeat(3, minmax(0, 1fr));
    }
    thead,
    tbody {
      display: block;
    }
    thead {
      position: sticky;
      top: 0;
      z-index: 1;
    }
    thead tr {
      grid-template-columns: repeat(4, auto);
    }
    tbody th {
      grid-column: 1 / -1;
      width: auto;
      padding-bottom: 0;
    }
    td {
      padding-top: 0.125rem;
    }
    thead button {
      padding-inline: 0.5rem;
    }
  }
`;
