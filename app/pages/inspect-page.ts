/**
 * The inspecting page: a training step looked into. A worker compiles it and measures; here it is shown: when which
 * kernel runs and for how long, what each reads, writes and is written like, and the graph that all of it came from.
 */
import { LitElement, html, nothing } from "lit";
import type { CSSResult, PropertyDeclarations, PropertyValues, TemplateResult } from "lit";
import { formatBytes, formatMs, theme } from "hearth/elements";
import type { DeviceChoice } from "hearth/browser";
import "../elements/flame-chart.ts";
import "../elements/kernel-graph.ts";
import "../elements/kernel-list.ts";
import "../elements/kernel-source.ts";
import { formatTime } from "../inspect/figures.ts";
import type { Inspection } from "../inspect/inspect-api.ts";
import { inspectModel, inspectModels } from "../inspect/inspect-models.ts";
import type { InspectModel } from "../inspect/inspect-models.ts";
import { InspectSession } from "../inspect/inspect-session.ts";
import { controls } from "../styles/controls.ts";
import { rename } from "../navigation.ts";
import { inspectPageStyles } from "./inspect-page-styles.ts";

const DEVICES: readonly { readonly choice: DeviceChoice; readonly title: string }[] = [
  { choice: "auto", title: "The fastest one" },
  { choice: "webgpu", title: "WebGPU" },
  { choice: "wasm", title: "CPU" },
  { choice: "reference", title: "CPU, by JavaScript" },
];

class InspectPage extends LitElement {
  static override properties: PropertyDeclarations = {
    model: { attribute: false },
    picked: { state: true },
    text: { state: true },
  };
  static override styles: CSSResult[] = [theme, controls, inspectPageStyles];

  /** By name; the first one for any other. */
  declare model: string | null;
  declare protected picked: number;
  declare protected text: string | null;
  #device: DeviceChoice = deviceAsked();
  /** What is open, or being opened. */
  #shown: InspectModel | null = null;
  readonly #session: InspectSession = new InspectSession(this);

  constructor() {
    super();
    this.model = null;
    this.picked = -1;
    this.text = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#shown = null;
    document.title = "Inside a step · hearth";
    this.requestUpdate();
  }

  protected override willUpdate(changed: PropertyValues): void {
    const model = inspectModel(this.model);
    if (this.#shown !== model && (changed.has("model") || this.#shown === null)) this.#open(model);
  }

  #open(model: InspectModel): void {
    this.#shown = model;
    this.picked = -1;
    this.text = null;
    void this.#session.open(model.name, this.#device);
  }

  protected override render(): TemplateResult {
    const { inspection } = this.#session;
    return html`
      <section class="soot" aria-label="The step">
        <h1 tabindex="-1">Inside a step</h1>
        <p class="lead">
          Forward, backward and update of one batch, compiled into kernels in this tab: which run when, what each costs,
          how it is written, and the graph it came from.
        </p>
        ${this.#choices()} ${this.#state()} ${inspection === null ? nothing : this.#facts(inspection)}
        ${
          inspection === null
            ? nothing
            : html`<flame-chart
                .kernels=${inspection.kernels}
                .kernelMs=${this.#session.kernelMs}
                .picked=${this.picked}
                @kernel-pick=${this.#pick}
              ></flame-chart>`
        }
      </section>
      ${inspection === null ? nothing : this.#cards(inspection)}
    `;
  }

  #choices(): TemplateResult {
    const { doing, inspection, kernelMs } = this.#session;
    return html`<div class="choose">
      <label class="field">
        Model
        <select @change=${(event: Event) => this.#choose((event.target as HTMLSelectElement).value)}>
          ${inspectModels.map(({ name, title }) => {
            return html`<option value=${name} ?selected=${name === this.#shown?.name}>${title}</option>`;
          })}
        </select>
      </label>
      <label class="field device">
        Device
        <select @change=${(event: Event) => this.#move((event.target as HTMLSelectElement).value)}>
          ${DEVICES.map(({ choice, title }) => {
            return html`<option value=${choice} ?selected=${choice === this.#device}>${title}</option>`;
          })}
        </select>
      </label>
      ${
        inspection === null
          ? nothing
          : html`<button class="button main" ?disabled=${doing !== null} @click=${() => void this.#session.profile()}>
              ${kernelMs === null ? "Measure" : "Measure again"}
            </button>`
      }
    </div>`;
  }

  /** What goes on, or what went wrong. Both places are there before their words, or nobody would hear them. */
  #state(): TemplateResult {
    const { doing, problem } = this.#session;
    return html`
      <p class="doing" role="status" ?data-idle=${doing === null} ?hidden=${doing === null && problem !== null}>
        ${doing === null ? (this.#session.inspection === null ? "" : this.#verdict()) : `${doing}…`}
      </p>
      <div role="alert">
        ${
          problem === null
            ? nothing
            : html`<p class="problem trouble">${problem}</p>
                <p class="buttons">
                  <button class="button" @click=${() => this.#shown !== null && this.#open(this.#shown)}>
                    Try again
                  </button>
                </p>`
        }
      </div>
    `;
  }

  #verdict(): string {
    const known = (this.#session.kernelMs ?? []).filter((ms) => ms !== null);
    if (known.length === 0) return "This device does not tell how long its kernels take.";
    return `${formatTime(known.reduce((sum, ms) => sum + ms, 0))} in kernels`;
  }

  #facts({ device, reason, compileMs, kernels, scratchBytes, before, after }: Inspection): TemplateResult {
    const sum = (figure: "readBytes" | "writtenBytes"): number => kernels.reduce((to, at) => to + at[figure], 0);
    const nodes = `${before.report.nodes.length} operations, ${after.report.nodes.length} as lowered`;
    return html`<dl>
      ${fact("Adapter", device, reason)} ${fact("Compiled in", formatMs(compileMs), "traced, lowered, kernels made")}
      ${fact("Batch", this.#shown?.batch ?? "", this.#shown?.about ?? "")}
      ${fact("Kernels", String(kernels.length), nodes)}
      ${fact("Moved", formatBytes(sum("readBytes") + sum("writtenBytes")), "bound by kernels, read and written")}
      ${fact("Held in between", formatBytes(scratchBytes), "shared by values in turn")}
    </dl>`;
  }

  #cards({ kernels, before, after }: Inspection): TemplateResult {
    return html`
      <section class="card" aria-labelledby="kernels" @kernel-pick=${this.#pick}>
        <h2 id="kernels">Kernels</h2>
        <div class="kernels">
          <kernel-list .kernels=${kernels} .kernelMs=${this.#session.kernelMs} .picked=${this.picked}></kernel-list>
          <kernel-source .kernel=${kernels[this.picked] ?? null}></kernel-source>
        </div>
      </section>
      <section class="card" aria-labelledby="graph" @kernel-pick=${this.#pick}>
        <h2 id="graph">Graph</h2>
        <kernel-graph
          .graphBefore=${before}
          .graphAfter=${after}
          .kernels=${kernels}
          .picked=${this.picked}
        ></kernel-graph>
      </section>
      <section class="card" aria-labelledby="take">
        <h2 id="take">Take it with you</h2>
        <div class="buttons">
          <button class="button" @click=${() => void this.#show()}>Show as text</button>
          <button class="button" @click=${() => void this.#download("sources")}>Download text with sources</button>
          <button class="button" @click=${() => void this.#download("json")}>Download JSON</button>
        </div>
        ${
          this.text === null
            ? nothing
            : html`<pre class="text" tabindex="0" role="region" aria-label="The step as text">${this.text}</pre>`
        }
      </section>
    `;
  }

  readonly #pick = (event: Event): void => {
    this.picked = (event as CustomEvent<number>).detail;
  };

  #choose(name: string): void {
    rename(`/inspect/${name}`);
    this.model = name;
  }

  #move(choice: string): void {
    this.#device = DEVICES.find((device) => device.choice === choice)?.choice ?? "auto";
    if (this.#shown !== null) this.#open(this.#shown);
  }

  async #show(): Promise<void> {
    this.text = await this.#session.exported("text");
  }

  async #download(as: "sources" | "json"): Promise<void> {
    const content = await this.#session.exported(as);
    if (content === null) return;
    const [type, ending] = as === "json" ? ["application/json", "json"] : ["text/plain", "txt"];
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([content], { type }));
    link.download = `${this.#shown?.name ?? "step"}-step.${ending}`;
    link.click();
    URL.revokeObjectURL(link.href);
  }
}

function fact(name: string, value: string, small: string): TemplateResult {
  return html`<div>
    <dt>${name}</dt>
    <dd>${value} <small>${small}</small></dd>
  </div>`;
}

/** `?device=webgpu` and so on; anything else is left to hearth. */
function deviceAsked(): DeviceChoice {
  const asked = new URLSearchParams(location.search).get("device");
  return DEVICES.find(({ choice }) => choice === asked)?.choice ?? "auto";
}

customElements.define("inspect-page", InspectPage);
