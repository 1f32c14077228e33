/**
 * `<hearth-fire>`: the room as a fire. It grows with the run, flares with committed steps, dims while nothing is
 * computed, and has a coal in each member's colour before it. Decoration: all it says is said in words elsewhere.
 */
import { css, html, svg } from "lit";
import type { CSSResult, TemplateResult } from "lit";
import type { RoomView } from "../room-view.ts";
import { peerHue } from "./peer-name.ts";
import { theme } from "./theme.ts";
import { ViewElement, defineElement } from "./view-element.ts";

const COALS_MAX = 48;
const COALS_IN_ROW = 16;
const FLARE_MS = 700;
/** Every frame of an animation is drawn by a processor that trains, where there is no GPU: it burns still in between. */
const FLARE_EVERY_MS = 5_000;
const HEATS = 16;

/** The fire of a room. Set `view`; without one it burns as on a home page. */
export class HearthFire extends ViewElement {
  /** The theme's, and its own. */
  static override styles: CSSResult[] = [
    theme,
    css`
      :host {
        display: block;
      }
      svg {
        display: block;
        width: 100%;
        height: auto;
        overflow: visible;
      }
      .flames {
        transform: scale(calc(0.62 + 0.38 * var(--heat)), calc(0.5 + 0.5 * var(--heat)));
        transform-origin: 120px 188px;
        transition: transform 1s ease-out;
      }
      .flare {
        transform-origin: 120px 188px;
      }
      .halo {
        opacity: calc(0.5 + 0.5 * var(--heat));
      }
      .idle .flames {
        transform: scale(0.5, 0.32);
      }
      .idle .halo {
        opacity: 0.3;
      }
      .home .flare {
        animation: breathe 2.4s ease-in-out infinite alternate;
      }
      .coal {
        fill: oklch(0.72 0.15 var(--hue));
        stroke: #1d1714;
        stroke-width: 2;
      }
      @keyframes breathe {
        from {
          transform: scale(0.985, 0.97);
        }
        to {
          transform: scale(1.015, 1.03);
        }
      }
      @media (prefers-reduced-motion: reduce) {
        .flames {
          transition: none;
        }
        .home .flare {
          animation: none;
        }
      }
    `,
  ];

  #flaredAt = 0;
  #flaredAtMs = Number.NEGATIVE_INFINITY;

  protected override render(): TemplateResult {
    const view = this.view;
    return html`
      <svg viewBox="0 0 240 240" aria-hidden="true" class=${moodOf(view)} style="--heat: ${heatOf(view)}">
        <defs>
          <radialGradient id="halo" cx="50%" cy="50%" r="50%">
            <stop offset="0" stop-color="#ff9d3c" stop-opacity="0.6" />
            <stop offset="0.5" stop-color="#e8590c" stop-opacity="0.22" />
            <stop offset="1" stop-color="#e8590c" stop-opacity="0" />
          </radialGradient>
          <linearGradient id="outer" x1="0" y1="0" x2="0" y2="1">
            <stop offset="0" stop-color="#c2330a" />
            <stop offset="1" stop-color="#ee6112" />
          </linearGradient>
          <linearGradient id="middle" x1="0" y1="0" x2="0" y2="1">
            <stop offset="0" stop-color="#f5801e" />
            <stop offset="1" stop-color="#ffad3d" />
          </linearGradient>
        </defs>
        <circle class="halo" cx="120" cy="160" r="130" fill="url(#halo)" />
        <g class="flames"><g class="flare">${FLAMES}</g></g>
        ${LOGS} ${coals(view)}
      </svg>
    `;
  }

  protected override updated(): void {
    const step = this.view?.step ?? 0;
    if (step > this.#flaredAt && performance.now() - this.#flaredAtMs >= FLARE_EVERY_MS) this.#flare();
    this.#flaredAt = step;
  }

  /** A short flare for a committed step: one transform of one group, on the compositor. */
  #flare(): void {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    this.#flaredAtMs = performance.now();
    this.renderRoot
      .querySelector(".flare")
      ?.animate([{ transform: "none" }, { transform: "scale(1.05, 1.12)" }, { transform: "none" }], {
        duration: FLARE_MS,
        easing: "ease-in-out",
      });
  }
}

function moodOf(view: RoomView | null): "home" | "lit" | "idle" {
  if (!view) return "home";
  return view.phase === "training" || view.phase === "syncing" || view.phase === "finished" ? "lit" : "idle";
}

/** From 0, kindled, to 1, in full blaze when the run is done; in few steps, each of which is drawn for a second. */
function heatOf(view: RoomView | null): number {
  if (!view?.spec) return view ? 0.35 : 1;
  return 0.35 + (0.65 * Math.floor(HEATS * Math.min(1, view.step / Math.max(1, view.spec.steps)))) / HEATS;
}

const FLAMES = svg`
  <path fill="url(#outer)" d="M124 22c6 32 58 58 58 110 0 38-26 62-62 62s-62-24-62-60c0-26 15-41 22-62 13 8 18 18 19 30 16-19 27-46 25-80z" />
  <path fill="url(#middle)" d="M124 82c4 24 36 38 36 70 0 26-17 42-40 42s-40-16-40-40c0-18 11-28 16-42 8 5 12 12 13 20 10-13 16-30 15-50z" />
  <path fill="#ffe3a3" d="M121 130c2 15 20 23 20 42 0 15-9 23-21 23s-21-9-21-22c0-10 6-16 9-24 4 3 6 7 7 11 4-8 6-18 6-30z" />
`;

const LOGS = svg`
  <g stroke-linecap="round" stroke-width="17">
    <path stroke="#4a3227" d="M62 204 176 186" />
    <path stroke="#5e3f30" d="M64 186 178 204" />
  </g>
  <g fill="#c98d5f">
    <ellipse cx="178.500" cy="204" rx="5" ry="8" transform="rotate(9 178 204)" />
    <ellipse cx="61.500" cy="204" rx="5" ry="8" transform="rotate(-9 62 204)" />
  </g>
`;

/** A coal for each member, in rows of at most sixteen before the fire. */
function coals(view: RoomView | null): TemplateResult[] {
  const members = (view?.members ?? []).slice(0, COALS_MAX);
  return members.map((member, index) => {
    const row = Math.floor(index / COALS_IN_ROW);
    const inRow = Math.min(COALS_IN_ROW, members.length - row * COALS_IN_ROW);
    const across = (index % COALS_IN_ROW) - (inRow - 1) / 2;
    const gap = Math.min(24, 190 / inRow);
    const radius = members.length > 12 ? 5.5 : 8;
    const y = 224 + row * 9 - Math.abs(across) * 0.8;
    return svg`<circle class="coal" style="--hue: ${peerHue(member.peer)}" cx=${120 + across * gap} cy=${y} r=${radius} />`;
  });
}

defineElement("hearth-fire", HearthFire);

declare global {
  interface HTMLElementTagNameMap {
    "hearth-fire": HearthFire;
  }
}
