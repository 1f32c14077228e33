/**
 * Colours and type of hearth's elements: soot, ash and ember.
 *
 * Every value is a public custom property with a default that follows the page's `color-scheme`: set `--hearth-ember`
 * on any ancestor and all elements below take it. Inside, elements read the `--_` names only. Text colours reach a
 * contrast of 4.5 : 1 on `--hearth-surface` and `--hearth-ground` in both schemes; marks and lines reach 3 : 1.
 */
import { css } from "lit";
import type { CSSResult } from "lit";

/** The tokens, for a shadow root: elements of one's own that should match can adopt them too. */
export const theme: CSSResult = css`
  :host {
    --_ground: var(--hearth-ground, light-dark(#f3f0ec, #171311));
    --_surface: var(--hearth-surface, light-dark(#fffefc, #211b18));
    --_sunken: var(--hearth-sunken, light-dark(#ebe6df, #2c2420));
    --_ink: var(--hearth-ink, light-dark(#2a211c, #f5ece3));
    --_muted: var(--hearth-muted, light-dark(#65584e, #bcaa9b));
    --_rule: var(--hearth-rule, light-dark(#ddd5cc, #3b312b));
    --_edge: var(--hearth-edge, light-dark(#8a7b6f, #8d7b6d));
    --_ember: var(--hearth-ember, light-dark(#b23a06, #ff9a5c));
    --_on-ember: var(--hearth-on-ember, light-dark(#ffffff, #2a1206));
    --_glow: var(--hearth-glow, light-dark(#e8590c, #ff8a3d));
    --_flame: var(--hearth-flame, light-dark(#f59f00, #ffc46b));
    --_compute: var(--hearth-compute, light-dark(#d9480f, #ff8a3d));
    --_network: var(--hearth-network, light-dark(#1f7a8c, #6fc7d6));
    --_waiting: var(--hearth-waiting, light-dark(#9a8c80, #857568));
    --_good: var(--hearth-good, light-dark(#2f6f3e, #8fcf9c));
    --_bad: var(--hearth-bad, light-dark(#a51d2d, #ff9d9d));
    --_font: var(
      --hearth-font,
      Seravek,
      "Gill Sans Nova",
      "Segoe UI",
      Ubuntu,
      Calibri,
      "Source Sans 3",
      "DejaVu Sans",
      sans-serif
    );
    --_display: var(
      --hearth-font-display,
      "Iowan Old Style",
      "Palatino Linotype",
      Palatino,
      "URW Palladio L",
      P052,
      Georgia,
      serif
    );
    --_mono: var(
      --hearth-font-mono,
      ui-monospace,
      "Cascadia Code",
      "Source Code Pro",
      Menlo,
      "DejaVu Sans Mono",
      monospace
    );
    --_radius: var(--hearth-radius, 0.875rem);
    color: var(--_ink);
    font-family: var(--_font);
    line-height: 1.5;
  }
  :host([hidden]) {
    display: none;
  }
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  :focus-visible {
    outline: 0.1875rem solid var(--_ember);
    outline-offset: 0.1875rem;
  }
  .unseen {
    position: absolute;
    width: 1px;
    height: 1px;
    margin: -1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  .number {
    font-variant-numeric: tabular-nums;
  }
`;
