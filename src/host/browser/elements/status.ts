/**
 * `<hearth-status>`: where this tab stands, in words: the phase, what happens now, what is wrong, what it computes
 * with, and how far the run is.
 *
 * Screen readers hear the phase when it changes and the progress at every tenth of the run, not every number that moves.
 */
import { css, html, nothing } from "lit";
import type { CSSResult, PropertyValues, TemplateResult } from "lit";
import type { Phase, RoomView } from "../room-view.ts";
import { formatLoss, formatTimeLeft, plural, threeDigits } from "./format.ts";
import { theme } from "./theme.ts";
import { ViewElement, defineElement } from "./view-element.ts";

const PHASES: Readonly<Record<Phase, string>> = {
  connecting: "Finding the room",
  preparing: "Getting ready",
  waiting: "Waiting",
  syncing: "Gathering",
  training: "Training",
  reconnecting: "The server is away",
  paused: "Paused",
  finished: "Finished",
  stopped: "Stopped",
};

/** The state of a room in words and numbers. Set `view`. */
export class HearthStatus extends ViewElement {
  /** The theme's, and its own. */
  static override styles: CSSResult[] = [
    theme,
    css`
      :host {
        display: block;
      }
      p {
        margin: 0;
      }
      .phase {
        display: flex;
        align-items: center;
        gap: 0.625rem;
        font-family: var(--_display);
        font-size: 1.375rem;
      }
      .phase::before {
        content: "";
        flex: none;
        width: 0.75rem;
        height: 0.75rem;
        border-radius: 50%;
        border: 0.1875rem solid var(--_edge);
      }
      .phase[data-phase="training"]::before,
      .phase[data-phase="finished"]::before {
        border-color: var(--_flame);
        background: var(--_glow);
        box-shadow: 0 0 0.75rem var(--_glow);
      }
      .phase[data-phase="syncing"]::before,
      .phase[data-phase="preparing"]::before,
      .phase[data-phase="connecting"]::before {
        border-color: var(--_flame);
      }
      .note {
        max-width: 42rem;
        margin-top: 0.25rem;
        color: var(--_muted);
      }
      .problem,
      .notice {
        max-width: 42rem;
        margin-top: 0.75rem;
        padding-inline-start: 0.875rem;
        border-inline-start: 0.1875rem solid var(--_bad);
        color: var(--_bad);
      }
      .notice {
        border-color: var(--_edge);
        color: var(--_muted);
        font-size: 0.9375rem;
      }
      dl {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(6.5rem, max-content));
        gap: 0.75rem 2.25rem;
        margin: 1.25rem 0 0;
      }
      dl > div {
        display: flex;
        flex-direction: column-reverse;
      }
      dt {
        color: var(--_muted);
        font-size: 0.875rem;
      }
      dd {
        margin: 0;
        font-family: var(--_display);
        font-size: 1.875rem;
        line-height: 1.2;
        font-variant-numeric: tabular-nums lining-nums;
      }
      dd small {
        color: var(--_muted);
        font-size: 0.5em;
      }
      progress {
        display: block;
        width: 100%;
        height: 0.375rem;
        margin-top: 1.25rem;
        border: 0;
        border-radius: 1rem;
        overflow: hidden;
        background: var(--_sunken);
        appearance: none;
      }
      progress::-webkit-progress-bar {
        background: var(--_sunken);
      }
      progress::-webkit-progress-value {
        border-radius: 1rem;
        background: linear-gradient(90deg, var(--_ember), var(--_flame));
      }
      progress::-moz-progress-bar {
        border-radius: 1rem;
        background: linear-gradient(90deg, var(--_ember), var(--_flame));
      }
      .left {
        margin-top: 0.5rem;
        color: var(--_muted);
        font-size: 0.875rem;
      }
    `,
  ];

  #spoken = "";
  #spokenKey = "";

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    const view = this.view;
    if (!view) return;
    const tenth = view.spec ? Math.floor((view.step * 10) / Math.max(1, view.spec.steps)) : 0;
    const key = `${view.phase} ${tenth}`;
    if (key === this.#spokenKey) return;
    this.#spokenKey = key;
    // A problem is an alert of its own, and not told twice.
    this.#spoken = view.note === view.problem ? "" : `${PHASES[view.phase]}. ${view.note}`;
    if (view.spec && view.step > 0) this.#spoken += ` ${progressOf(view)}`;
  }

  protected override render(): TemplateResult {
    const view = this.view;
    if (!view) return html`<p class="phase" data-phase="connecting">Opening the room</p>`;
    return html`
      <p class="phase" data-phase=${view.phase}>${PHASES[view.phase]}</p>
      ${view.note === view.problem ? nothing : html`<p class="note">${view.note}</p>`}
      <p class="unseen" role="status">${this.#spoken}</p>
      <div role="alert">${view.problem ? html`<p class="problem">${view.problem}</p>` : nothing}</div>
      ${engineNotice(view)} ${view.spec ? numbers(view) : nothing}
    `;
  }
}

function progressOf(view: RoomView): string {
  return `Step ${view.step} of ${view.spec?.steps ?? 0}, loss ${formatLoss(view.loss)}.`;
}

function engineNotice(view: RoomView): TemplateResult | typeof nothing {
  if (!view.engine || view.phase === "stopped") return nothing;
  const { kind, reason } = view.engine;
  if (reason === "" && kind === "webgpu") return nothing;
  return html`<p class="notice">
    ${reason || "This tab computes on the CPU: slower than a GPU, and its results count just the same."}
  </p>`;
}

function numbers(view: RoomView): TemplateResult {
  const steps = view.spec?.steps ?? 0;
  const slotsPerSecond = view.members.reduce((sum, member) => sum + member.slotsPerSecond, 0);
  const isRunning = view.phase === "training" && view.lastStep !== null && view.step < steps;
  const leftMs = isRunning ? (view.lastStep?.ms ?? 0) * (steps - view.step) : 0;
  return html`
    <dl>
      <div>
        <dt>loss</dt>
        <dd>${formatLoss(view.loss)}</dd>
      </div>
      <div>
        <dt>${steps > 0 ? "steps done" : "step"}</dt>
        <dd>${view.step.toLocaleString("en")} <small>of ${steps.toLocaleString("en")}</small></dd>
      </div>
      <div>
        <dt>${view.members.length === 1 ? "tab" : "tabs"}</dt>
        <dd>${view.members.length}</dd>
      </div>
      <div>
        <dt>together</dt>
        <dd>${threeDigits(slotsPerSecond)} <small>slots/s</small></dd>
      </div>
    </dl>
    <progress max=${steps} .value=${view.step} aria-label="Steps done"></progress>
    <p class="left">
      ${isRunning ? html`${plural(steps - view.step, "step")} to go, ${formatTimeLeft(leftMs)}` : html`&nbsp;`}
    </p>
  `;
}

defineElement("hearth-status", HearthStatus);

declare global {
  interface HTMLElementTagNameMap {
    "hearth-status": HearthStatus;
  }
}
