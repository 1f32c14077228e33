/** `<memory-budget>`: how much of the GPU this tab may take, and getting it back. Fires `budget-change` with mebibytes, or null. */
import { LitElement, css } from "lit";
import type { CSSResult, PropertyDeclarations, TemplateResult } from "lit";
import { formatMemory, theme } from "hearth/elements";
import type { MemorySummary } from "hearth/elements";
import { controls } from "../styles/controls.ts";
import { numberForm, numberFormStyles } from "./number-form.ts";

class MemoryBudget extends LitElement {
  static override properties: PropertyDeclarations = { memory: { attribute: false }, problem: { state: true } };
  static override styles: CSSResult[] = [
    theme,
    controls,
    numberFormStyles,
    css`
      :host {
        display: block;
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
    return numberForm({
      name: "budget",
      label: "Most memory for this tab, in MiB",
      set: "Set",
      clear: "No limit",
      problem: this.problem,
      now: currently(this.memory),
      onSet: (mebibytes, field) => {
        if (mebibytes >= 1) return this.#set(Math.floor(mebibytes));
        this.problem = "Type how many mebibytes this tab may take: 512, for example.";
        field.focus();
      },
      onClear: () => this.#set(null),
    });
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
