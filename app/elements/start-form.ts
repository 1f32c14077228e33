/** `<start-form>`: picks a run, a file for it, and its options; makes the room and goes there. */
import { LitElement, html, nothing } from "lit";
import type { CSSResult, PropertyDeclarations, TemplateResult } from "lit";
import { theme } from "hearth/elements";
import "./file-drop.ts";
import { defaultFile } from "../default-data.ts";
import { navigate } from "../navigation.ts";
import { runForFile, runs } from "../runs.ts";
import type { RunSummary } from "../runs.ts";
import { controls } from "../styles/controls.ts";
import { startFormStyles } from "./start-form-styles.ts";

const SEED_MAX = 2 ** 32 - 1;
const STEPS_MAX = 1_000_000;
const MEMBERS_MAX = 256;
const PRIORITY_MAX = 10;

/** How a field is named where its number is wrong. */
const TITLES: Readonly<Record<string, string>> = {
  seed: "The seed",
  steps: "The number of steps",
  members: "The number of members from the pool",
  priority: "The priority",
};

class StartForm extends LitElement {
  static override properties: PropertyDeclarations = {
    run: { state: true },
    file: { state: true },
    from: { state: true },
    problem: { state: true },
    isBusy: { state: true },
  };
  static override styles: CSSResult[] = [theme, controls, startFormStyles];

  declare protected run: RunSummary;
  declare protected file: File | null;
  /** A checkpoint to go on from. */
  declare protected from: File | null;
  declare protected problem: string;
  declare protected isBusy: boolean;

  constructor() {
    super();
    this.run = runs[0];
    this.file = null;
    this.from = null;
    this.problem = "";
    this.isBusy = false;
  }

  protected override render(): TemplateResult {
    return html`
      <form @submit=${(event: SubmitEvent) => void this.#start(event)} novalidate>
        <h2 id="start">Start a room</h2>
        <fieldset>
          <legend class="unseen">What to train</legend>
          ${runs.map((run) => this.#card(run))}
        </fieldset>
        <file-drop
          .accept=${this.run.accept}
          .file=${this.run.accept ? this.file : null}
          .label=${this.run.fileHint}
          ?hidden=${!this.run.accept}
          @file-change=${(event: CustomEvent<File | null>) => this.#choose(event.detail)}
        ></file-drop>
        <details>
          <summary>Options</summary>
          <div class="options">
            <label class="field">
              Seed
              <input name="seed" inputmode="numeric" placeholder="any" aria-describedby="seed-hint" />
            </label>
            <label class="field">
              Steps
              <input name="steps" inputmode="numeric" placeholder=${String(this.run.steps)} />
            </label>
            <label class="field">
              Members from the pool
              <input name="members" inputmode="numeric" placeholder="none" aria-describedby="pool-hint" />
            </label>
            <label class="field">
              Priority
              <input name="priority" inputmode="numeric" placeholder="0" aria-describedby="pool-hint" />
            </label>
            <p class="hint" id="pool-hint">
              With so many at least it starts, as soon as the server's pool has them at once; a run of higher priority
              goes first, and may make it pause.
            </p>
            <p class="hint" id="seed-hint">
              The same seed and the same data train the same model, in any number of tabs.
            </p>
            <label class="field">
              Go on from a checkpoint
              <input
                name="from"
                type="file"
                accept=".safetensors"
                aria-describedby="from-hint"
                @change=${(event: Event) => this.#goOnFrom(event)}
              />
            </label>
            <p class="hint" id="from-hint">
              One that was downloaded from a room of this run. Steps count on from it, with its seed and, for the same
              losses, the same data.
            </p>
          </div>
        </details>
        <div role="alert">${this.problem ? html`<p class="problem">${this.problem}</p>` : nothing}</div>
        <button class="button main" ?disabled=${this.isBusy}>
          ${this.isBusy ? "Starting the room…" : "Start room"}
        </button>
      </form>
    `;
  }

  #card(run: RunSummary): TemplateResult {
    return html`<label class="run">
      <input
        type="radio"
        name="run"
        value=${run.name}
        .checked=${run === this.run}
        aria-describedby="about-${run.name}"
        @change=${() => this.#pick(run)}
      />
      <span class="title">${run.title}</span>
      <span class="about" id="about-${run.name}">${run.description}</span>
    </label>`;
  }

  #pick(run: RunSummary): void {
    this.run = run;
    this.problem = "";
  }

  /** A file says what is wanted: a run that takes such files. */
  #choose(file: File | null): void {
    this.file = file;
    this.problem = "";
    if (file) this.run = runForFile(file.name, this.run);
  }

  #goOnFrom(event: Event): void {
    this.from = (event.target as HTMLInputElement).files?.[0] ?? null;
    this.problem = "";
  }

  async #start(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (this.isBusy) return;
    this.problem = "";
    const seed = this.#whole("seed", SEED_MAX, 0);
    const steps = this.#whole("steps", STEPS_MAX, 1);
    const membersMin = this.#whole("members", MEMBERS_MAX, 1);
    const priority = this.#whole("priority", PRIORITY_MAX, 0) ?? 0;
    if (this.problem) return;
    this.isBusy = true;
    try {
      const { createRoom } = await import("hearth/swarm");
      const { room } = await createRoom(location.origin, {
        run: this.run.name,
        steps: steps ?? this.run.steps,
        ...(seed === null ? {} : { seed }),
        from: this.from,
        ...(membersMin === null ? {} : { queue: { priority, membersMin, membersMax: MEMBERS_MAX } }),
        file: this.run.accept ? (this.file ?? (await defaultFile(this.run.name))) : null,
      });
      navigate(`/room/${room}`);
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    } finally {
      this.isBusy = false;
    }
  }

  /** The number in a field; null when it is empty. Says what is wrong with any other text. */
  #whole(name: string, max: number, min: number): number | null {
    const text = this.renderRoot.querySelector<HTMLInputElement>(`[name="${name}"]`)?.value.trim() ?? "";
    if (text === "") return null;
    const value = Number(text);
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    const title = TITLES[name] ?? name;
    this.problem = `${title} must be a whole number from ${min} to ${max.toLocaleString("en")}; "${text}" is not.`;
    return null;
  }
}

customElements.define("start-form", StartForm);
