/**
 * `<hearth-sample>`: what the model writes now, and what it wrote before, so that people see it learn to write.
 */
import { css, html, nothing } from "lit";
import type { CSSResult, PropertyValues, TemplateResult } from "lit";
import type { RoomView } from "../room-view.ts";
import { theme } from "./theme.ts";
import { ViewElement, defineElement } from "./view-element.ts";

const EARLIER_MAX = 4;

type Sample = NonNullable<RoomView["sample"]>;

/** The newest sample of a room's model, with a few earlier ones. Set `view`. */
export class HearthSample extends ViewElement {
  /** The theme's, and its own. */
  static override styles: CSSResult[] = [
    theme,
    css`
      :host {
        display: block;
      }
      figure {
        margin: 0;
      }
      figcaption {
        margin-bottom: 0.5rem;
        color: var(--_muted);
        font-size: 0.875rem;
      }
      pre {
        max-height: 22rem;
        margin: 0;
        padding: 1rem 1.25rem;
        border-radius: 0.625rem;
        border-inline-start: 0.25rem solid var(--_glow);
        overflow: auto;
        background: var(--_sunken);
        font: 0.9375rem/1.6 var(--_mono);
        white-space: pre-wrap;
        overflow-wrap: anywhere;
      }
      details {
        margin-top: 1rem;
      }
      summary {
        color: var(--_muted);
        cursor: pointer;
      }
      details figure {
        margin-top: 1rem;
      }
      details pre {
        max-height: 8rem;
        border-inline-start-color: var(--_rule);
        font-size: 0.8125rem;
      }
      .none {
        margin: 0;
        color: var(--_muted);
      }
    `,
  ];

  #samples: Sample[] = [];

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    const sample = this.view?.sample;
    const last = this.#samples.at(-1);
    if (!sample || (sample.step === last?.step && sample.text === last.text)) return;
    // After a rollback, samples of steps that were undone are no part of the history any more.
    this.#samples = thin([...this.#samples.filter((earlier) => earlier.step < sample.step), sample]);
  }

  protected override render(): TemplateResult {
    const newest = this.#samples.at(-1);
    if (!newest) return html`<p class="none">The model has written nothing yet.</p>`;
    const earlier = this.#samples.slice(0, -1);
    return html`
      ${show(newest)}
      ${
        earlier.length === 0
          ? nothing
          : html`<details>
              <summary>What it wrote earlier</summary>
              ${earlier.map(show)}
            </details>`
      }
    `;
  }
}

function show({ step, text }: Sample): TemplateResult {
  // A scrolling region must be reachable by keyboard, hence the tabindex.
  return html`<figure>
    <figcaption>after step ${step.toLocaleString("en")}</figcaption>
    <pre tabindex="0" role="group" aria-label="Sample after step ${step}">${text}</pre>
  </figure>`;
}

/** Keeps the first, the last, and between them those that lie furthest apart in steps. */
function thin(samples: Sample[]): Sample[] {
  const kept = [...samples];
  while (kept.length > EARLIER_MAX + 1) {
    const gap = (at: number): number => (kept[at + 1]?.step ?? 0) - (kept[at - 1]?.step ?? 0);
    let closest = 1;
    for (let at = 2; at < kept.length - 1; at++) if (gap(at) < gap(closest)) closest = at;
    kept.splice(closest, 1);
  }
  return kept;
}

defineElement("hearth-sample", HearthSample);

declare global {
  interface HTMLElementTagNameMap {
    "hearth-sample": HearthSample;
  }
}
