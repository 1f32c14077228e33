/** `<event-log>`: what happened in the room, newest first. */
import { css, html } from "lit";
import type { CSSResult, TemplateResult } from "lit";
import { ViewElement, theme } from "hearth/elements";

class EventLog extends ViewElement {
  static override styles: CSSResult[] = [
    theme,
    css`
      :host {
        display: block;
      }
      ol {
        max-height: 16rem;
        margin: 0;
        padding: 0;
        overflow-y: auto;
        list-style: none;
      }
      li {
        padding-block: 0.375rem;
        border-top: 1px solid var(--_rule);
        font-size: 0.9375rem;
        overflow-wrap: anywhere;
      }
      li:first-child {
        border-top: 0;
      }
      p {
        margin: 0;
        color: var(--_muted);
      }
    `,
  ];

  protected override render(): TemplateResult {
    const lines = [...(this.view?.log ?? [])].reverse();
    if (lines.length === 0) return html`<p>Nothing worth telling yet.</p>`;
    // A scrolling region must be reachable by keyboard, hence the tabindex.
    return html`<ol tabindex="0" aria-label="Events, newest first">
      ${lines.map((line) => html`<li>${line}</li>`)}
    </ol>`;
  }
}

customElements.define("event-log", EventLog);
