/** `<memory-budget>`: how much of the GPU this tab may take, and getting it back. Fires `budget-change` with mebibytes, or null. */
import { LitElement, css, html, nothing } from "lit";
import type { CSSResult, PropertyDeclarations, TemplateResult } from "lit";
import { formatMemory, theme } from "hearth/elements";
import type { MemorySummary } from "hearth/elements";
import { controls } from "../styles/controls.ts";

class MemoryBudget extends LitElement {
  static override properties: PropertyDeclarations = { memory: { attribute: false }, problem: { state: true } };
  static override styles: CSSResult[] = [
    theme,
    controls,
    css`
      :host {
        display: block;
      }
      form {
        display: flex;
        flex-wrap: wrap;
        align-items: end;
        gap: 0.75rem;
      }
      .field {
        flex: 1 1 14rem;
      }
      .hint,
      .problem {
        margin-top: 0.5rem;
      }
    `,
  ];

  declare memory: MemorySummary | null;
  declare protected problem: string;

  constructor() {
    super();
    this.memory = null;
    this.problem = "";
  }

  protected override render(): TemplateResult {
    return html`
      <form @submit=${(event: SubmitEvent) => this.#submit(event)} novalidate>
        <label class="field">
          Most memory for this tab, in MiB
          <input
            name="budget"
            type="number"
            min="1"
            step="1"
            inputmode="numeric"
            autocomplete="off"
            aria-invalid=${this.problem ? "true" : "false"}
            aria-describedby=${this.problem ? "problem now" : "now"}
          />
        </label>
        <button class="button">Set</button>
        <button class="button" type="button" @click=${() => this.#set(null)}>No limit</button>
      </form>
      <div role="alert">${this.problem ? html`<p class="problem" id="problem">${this.problem}</p>` : nothing}</div>
      <p class="hint" id="now">${currently(this.memory)}</p>
    `;
  }

  #submit(event: SubmitEvent): void {
    event.preventDefault();
    const mebibytes = this.renderRoot.querySelector("input")?.valueAsNumber ?? Number.NaN;
    if (mebibytes >= 1) return this.#set(Math.floor(mebibytes));
    this.problem = "Type how many mebibytes this tab may take: 512, for example.";
    this.renderRoot.querySelector("input")?.focus();
  }

  #set(mebibytes: number | null): void {
    this.problem = "";
    this.dispatchEvent(new CustomEvent("budget-change", { detail: mebibytes }));
  }
}

function currently(memory: MemorySummary | null): string {
  if (!memory) return "";
  if (memory.budgetBytes === null) return "Now it takes what it needs.";
  return `Now it keeps to ${formatMemory(memory.budgetBytes)}.`;
}

customElements.define("memory-budget", MemoryBudget);
