/** `<join-form>`: into a room by its link or its id. */
import { LitElement, css, html, nothing } from "lit";
import type { CSSResult, PropertyDeclarations, TemplateResult } from "lit";
import { theme } from "hearth/elements";
import { navigate, parseRoom } from "../navigation.ts";
import { controls } from "../styles/controls.ts";

class JoinForm extends LitElement {
  static override properties: PropertyDeclarations = { problem: { state: true } };
  static override styles: CSSResult[] = [
    theme,
    controls,
    css`
      :host {
        display: block;
      }
      form {
        display: grid;
        gap: 1rem;
        margin-top: 1rem;
      }
    `,
  ];

  declare protected problem: string;

  constructor() {
    super();
    this.problem = "";
  }

  protected override render(): TemplateResult {
    const describedBy = this.problem ? "problem" : nothing;
    return html`
      <h2>Join a room</h2>
      <form @submit=${(event: SubmitEvent) => this.#join(event)} novalidate>
        <label class="field">
          Link or id
          <input
            name="room"
            autocomplete="off"
            autocapitalize="off"
            spellcheck="false"
            aria-invalid=${this.problem ? "true" : "false"}
            aria-describedby=${describedBy}
          />
        </label>
        <div role="alert">${this.problem ? html`<p class="problem" id="problem">${this.problem}</p>` : nothing}</div>
        <button class="button">Join</button>
      </form>
    `;
  }

  #join(event: SubmitEvent): void {
    event.preventDefault();
    const pasted = this.renderRoot.querySelector("input")?.value ?? "";
    const room = parseRoom(pasted);
    if (room !== null) return navigate(`/room/${room}`);
    this.problem = pasted.trim()
      ? "This is neither a room's link nor a room's id. A link ends in /room/ and the id."
      : "Paste a room's link or its id first.";
    this.renderRoot.querySelector("input")?.focus();
  }
}

customElements.define("join-form", JoinForm);
