/**
 * `<own-limits>`: how much of its time this tab gives, and for how long. Set `offer` to what the room knows of it. Fires
 * `share-change` with a part of 1, and `minutes-change` with minutes from now, or null for no end.
 */
import { LitElement, css, html } from "lit";
import type { CSSResult, PropertyDeclarations, TemplateResult } from "lit";
import { offerWords, theme } from "hearth/elements";
import type { Offer } from "hearth/elements";
import { controls } from "../styles/controls.ts";
import { numberForm, numberFormStyles } from "./number-form.ts";

/** Parts of the device's time that people choose from, in percent. */
const SHARES = [100, 75, 50, 25, 10];
const MINUTES_MAX = 24 * 60;

class OwnLimits extends LitElement {
  static override properties: PropertyDeclarations = { offer: { attribute: false }, problem: { state: true } };
  static override styles: CSSResult[] = [
    theme,
    controls,
    numberFormStyles,
    css`
      :host {
        display: grid;
        gap: 1rem;
      }
      .hint,
      .problem {
        margin: 0;
      }
    `,
  ];

  declare offer: Offer | null;
  declare protected problem: string;

  constructor() {
    super();
    this.offer = null;
    this.problem = "";
  }

  protected override render(): TemplateResult {
    const percent = Math.round(100 * (this.offer?.share ?? 1));
    const choices = SHARES.includes(percent) ? SHARES : [...SHARES, percent];
    return html`
      <label class="field">
        Part of this device's time
        <select name="share" @change=${(event: Event) => this.#share(event.target as HTMLSelectElement)}>
          ${choices.map(
            (choice) =>
              html`<option value=${choice} ?selected=${choice === percent}>
                ${choice === 100 ? "all of it" : `${choice} %`}
              </option>`,
          )}
        </select>
      </label>
      ${numberForm({
        name: "minutes",
        label: "Leave after so many minutes",
        max: MINUTES_MAX,
        set: "Start the clock",
        clear: "No end",
        problem: this.problem,
        now: currently(this.offer),
        onSet: (minutes, field) => {
          if (minutes >= 1 && minutes <= MINUTES_MAX) return this.#minutes(minutes);
          this.problem = "Type after how many minutes this tab leaves: 30, for example, and a day at most.";
          field.focus();
        },
        onClear: () => this.#minutes(null),
      })}
    `;
  }

  #share({ value }: HTMLSelectElement): void {
    this.dispatchEvent(new CustomEvent("share-change", { detail: Number(value) / 100 }));
  }

  #minutes(minutes: number | null): void {
    this.problem = "";
    this.dispatchEvent(new CustomEvent("minutes-change", { detail: minutes }));
  }
}

/** As the others see it, so that people know it arrived. */
function currently(offer: Offer | null): string {
  if (!offer) return "";
  const { share = 1, minutesLeft } = offer;
  const words = offerWords({ share, ...(minutesLeft === undefined ? {} : { minutesLeft }) });
  return `Now it ${words.join(" and ")}${minutesLeft === undefined ? ", for as long as it is open" : ""}.`;
}

customElements.define("own-limits", OwnLimits);
