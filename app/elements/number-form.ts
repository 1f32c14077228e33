/** A number that people type and send, with a button that takes it back: one form for all of a tab's limits. */
import { css, html, nothing } from "lit";
import type { CSSResult, TemplateResult } from "lit";

export const numberFormStyles: CSSResult = css`
  form {
    display: flex;
    flex-wrap: wrap;
    align-items: end;
    gap: 0.75rem;
  }
  .field {
    flex: 1 1 13rem;
  }
`;

export interface NumberForm {
  readonly name: string;
  readonly label: string;
  readonly max?: number;
  /** Words of its two buttons. */
  readonly set: string;
  readonly clear: string;
  /** What was wrong with what was typed; empty for nothing. */
  readonly problem: string;
  /** What holds now. */
  readonly now: string;
  /** Of the field: NaN where it holds no number. */
  onSet(value: number, field: HTMLInputElement): void;
  onClear(): void;
}

/** At least 1. The host has `problem` and `now` as ids. */
export function numberForm({ name, label, max, set, clear, problem, now, onSet, onClear }: NumberForm): TemplateResult {
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const field = (event.target as HTMLFormElement).elements.namedItem(name) as HTMLInputElement;
    onSet(field.valueAsNumber, field);
  };
  return html`
    <form @submit=${submit} novalidate>
      <label class="field">
        ${label}
        <input
          name=${name}
          type="number"
          min="1"
          max=${max ?? nothing}
          step="1"
          inputmode="numeric"
          autocomplete="off"
          aria-invalid=${problem ? "true" : "false"}
          aria-describedby=${problem ? "problem now" : "now"}
        />
      </label>
      <button class="button">${set}</button>
      <button class="button" type="button" @click=${onClear}>${clear}</button>
    </form>
    <div role="alert">${problem ? html`<p class="problem" id="problem">${problem}</p>` : nothing}</div>
    <p class="hint" id="now">${now}</p>
  `;
}
