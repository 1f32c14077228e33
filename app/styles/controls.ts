/** Buttons, fields, cards and headings: one look for all pages. */
import { css } from "lit";
import type { CSSResult } from "lit";

export const controls: CSSResult = css`
  h1,
  h2,
  h3 {
    margin: 0;
    font-family: var(--_display);
    font-weight: 500;
    line-height: 1.15;
    text-wrap: balance;
  }
  h1:focus {
    outline: none;
  }
  h2 {
    font-size: 1.375rem;
  }
  a {
    color: var(--_ember);
    text-underline-offset: 0.2em;
  }
  .card {
    padding: clamp(1.25rem, 3vw, 1.75rem);
    border: 1px solid var(--_rule);
    border-radius: var(--_radius);
    background: var(--_surface);
  }
  .card > h2 {
    margin-bottom: 1rem;
  }
  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 0.5rem;
    min-height: 2.75rem;
    padding: 0.5rem 1.25rem;
    border: 1px solid var(--_edge);
    border-radius: 0.625rem;
    background: transparent;
    color: var(--_ink);
    font: 600 1rem/1.2 var(--_font);
    text-decoration: none;
    cursor: pointer;
  }
  .button:hover {
    border-color: var(--_ember);
    color: var(--_ember);
  }
  .button.main {
    border-color: transparent;
    background: var(--_ember);
    color: var(--_on-ember);
  }
  .button.main:hover {
    background: color-mix(in srgb, var(--_ember), var(--_ink) 18%);
    color: var(--_on-ember);
  }
  .button[disabled] {
    opacity: 0.6;
    cursor: progress;
  }
  .field {
    display: block;
    font-size: 0.9375rem;
  }
  .field input,
  .field select {
    display: block;
    width: 100%;
    min-height: 2.75rem;
    margin-top: 0.375rem;
    padding: 0.5rem 0.875rem;
    border: 1px solid var(--_edge);
    border-radius: 0.625rem;
    background: var(--_ground);
    color: var(--_ink);
    font: 1rem var(--_font);
  }
  /* An empty alert takes no room, and is there before its words are, or nobody would hear them. */
  [role="alert"]:not(:has(*)) {
    position: absolute;
  }
  .hint {
    margin: 0;
    color: var(--_muted);
    font-size: 0.9375rem;
  }
  .problem {
    margin: 0;
    padding-inline-start: 0.875rem;
    border-inline-start: 0.1875rem solid var(--_bad);
    color: var(--_bad);
  }
  /* The fireplace: dark in both schemes, so that what burns in it glows. */
  .soot {
    color-scheme: dark;
    color: var(--_ink);
    background: radial-gradient(110% 95% at 78% 108%, #572a14 0%, #2c1a12 45%, #1b1512 80%);
    box-shadow: inset 0 0 0 1px #4b3a30;
    --hearth-sunken: #120d0b;
    --hearth-rule: #3d2d24;
  }
`;
