/**
 * The looks of `<hearth-memory>`. Each use of memory has a colour of its own, which a page can set like the theme's:
 * `--hearth-memory-gradients`. They are for marks, and reach 3 : 1 on surface and ground of both schemes.
 */
import { css } from "lit";
import type { CSSResult } from "lit";

export const memoryStyles: CSSResult = css`
  :host {
    display: block;
    --_parameters: var(--hearth-memory-parameters, var(--_compute));
    --_gradients: var(--hearth-memory-gradients, light-dark(#a87900, #e5c04e));
    --_optimizer: var(--hearth-memory-optimizer, light-dark(#8a4fa3, #cf9ee6));
    --_activations: var(--hearth-memory-activations, light-dark(#4b7f2b, #a3cf7a));
    --_communication: var(--hearth-memory-communication, var(--_network));
    --_cache: var(--hearth-memory-cache, var(--_waiting));
    --_other: var(--hearth-memory-other, light-dark(#3b66b8, #8fb2f5));
    --_free: var(--hearth-memory-free, var(--_sunken));
  }
  p,
  ul,
  dl,
  dd {
    margin: 0;
  }
  ul {
    padding: 0;
    list-style: none;
  }
  .parameters {
    --use: var(--_parameters);
  }
  .gradients {
    --use: var(--_gradients);
  }
  .optimizer {
    --use: var(--_optimizer);
  }
  .activations {
    --use: var(--_activations);
  }
  .communication {
    --use: var(--_communication);
  }
  .cache {
    --use: var(--_cache);
  }
  .other {
    --use: var(--_other);
  }
  .free {
    --use: var(--_free);
  }
  /* A track for each cell of a full row, so that cells have one size in all slabs. */
  .map {
    display: grid;
    grid-template-columns: repeat(var(--columns-max), minmax(0, 1fr));
    row-gap: 0.25rem;
  }
  svg {
    display: block;
    grid-column: span var(--columns);
    width: 100%;
    padding: 0.1875rem;
    border-radius: 0.3125rem;
    box-shadow: inset 0 0 0 1px var(--_rule);
  }
  path {
    fill: var(--use);
  }
  .use {
    margin-bottom: 0.375rem;
    font-size: 0.9375rem;
  }
  .bar {
    position: relative;
    display: flex;
    height: 0.875rem;
    margin-bottom: 1rem;
    border-radius: 0.25rem;
    background: var(--_sunken);
  }
  .bar i {
    flex: none;
    background: var(--use);
    transition: width 0.2s;
  }
  .bar i:first-child {
    border-start-start-radius: inherit;
    border-end-start-radius: inherit;
  }
  .bar .taken {
    background: color-mix(in srgb, var(--_waiting), transparent 60%);
  }
  .bar .mark {
    position: absolute;
    inset-block: -0.1875rem;
    width: 0;
    margin-inline-start: -1px;
    border-inline-start: 2px solid var(--_ink);
  }
  .bar .budget {
    margin-inline-start: -2px;
    border-color: var(--_bad);
  }
  .legend {
    display: flex;
    flex-wrap: wrap;
    gap: 0.25rem 1.25rem;
    margin-top: 0.75rem;
    font-size: 0.875rem;
  }
  .legend li::before {
    content: "";
    display: inline-block;
    width: 0.75rem;
    height: 0.75rem;
    margin-inline-end: 0.375rem;
    border-radius: 0.1875rem;
    background: var(--use);
    vertical-align: -0.0625rem;
  }
  .legend .free::before {
    box-shadow: inset 0 0 0 1px var(--_edge);
  }
  .legend b {
    font-weight: 600;
  }
  dl {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(100%, max(8rem, 26%)), 1fr));
    gap: 1rem 2rem;
    margin-top: 1.25rem;
  }
  dt,
  small,
  .cell,
  .brief,
  .none {
    color: var(--_muted);
    font-size: 0.875rem;
  }
  small {
    display: block;
  }
  .cell {
    margin-top: 0.375rem;
  }
  .pressure {
    margin-top: 1.25rem;
    padding-inline-start: 0.875rem;
    border-inline-start: 0.1875rem solid var(--_flame);
    font-size: 0.9375rem;
  }
  :host([compact]) svg {
    padding: 0.125rem;
    border-radius: 0.1875rem;
  }
  .brief {
    margin-top: 0.25rem;
  }
  @media (prefers-reduced-motion: reduce) {
    .bar i {
      transition: none;
    }
  }
`;
