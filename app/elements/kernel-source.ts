/** `<kernel-source>`: one kernel: what it binds and computes, and its WGSL, coloured and ready to be copied. */
import { LitElement, css, html } from "lit";
import type { CSSResult, PropertyDeclarations, PropertyValues, TemplateResult } from "lit";
import { formatBytes, plural, theme } from "hearth/elements";
import type { KernelReport } from "hearth";
import { formatCount } from "../inspect/figures.ts";
import { wgslTokens } from "../inspect/wgsl-tokens.ts";
import { controls } from "../styles/controls.ts";

class KernelSource extends LitElement {
  static override properties: PropertyDeclarations = { kernel: { attribute: false }, copied: { state: true } };
  static override styles: CSSResult[] = [
    theme,
    controls,
    css`
      :host {
        display: grid;
        grid-template-rows: auto auto minmax(0, 1fr);
        gap: 0.625rem;
        min-width: 0;
      }
      h3 {
        font-size: 1.0625rem;
        overflow-wrap: anywhere;
      }
      .none {
        display: grid;
        place-content: center;
        min-height: 10rem;
        border: 1px dashed var(--_rule);
        border-radius: 0.625rem;
        text-align: center;
      }
      .facts {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        justify-content: space-between;
        gap: 0.5rem 1rem;
        color: var(--_muted);
        font-size: 0.875rem;
      }
      .facts p {
        flex: 1 1 14rem;
        margin: 0;
      }
      .button {
        min-height: 2.25rem;
        padding: 0.25rem 0.875rem;
        font-size: 0.875rem;
      }
      pre {
        max-height: 28rem;
        margin: 0;
        padding: 0.875rem 1rem;
        border: 1px solid var(--_rule);
        border-radius: 0.625rem;
        background: var(--_ground);
        font: 0.8125rem/1.55 var(--_mono);
        overflow: auto;
        tab-size: 2;
      }
      .keyword {
        color: light-dark(#a03a00, #ff9a5c);
      }
      .type {
        color: light-dark(#14606f, #6fc7d6);
      }
      .number {
        color: light-dark(#7a5600, #e5c04e);
      }
      .call {
        color: light-dark(#7a3f93, #cf9ee6);
      }
      .attribute,
      .comment {
        color: var(--_muted);
      }
    `,
  ];

  declare kernel: KernelReport | null;
  declare protected copied: boolean;

  constructor() {
    super();
    this.kernel = null;
    this.copied = false;
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("kernel")) this.copied = false;
  }

  protected override render(): TemplateResult {
    const { kernel } = this;
    if (kernel === null) return html`<p class="hint none">Choose a kernel to read its source.</p>`;
    const { name, invocations, bindings, readBytes, writtenBytes, operations } = kernel;
    return html`
      <h3>${name}</h3>
      <div class="facts">
        <p>
          ${plural(invocations, "invocation")}, ${plural(bindings, "array")}: reads ${formatBytes(readBytes)}, writes
          ${formatBytes(writtenBytes)}, about ${formatCount(operations)} floating-point operations
        </p>
        <button class="button" @click=${() => void this.#copy()}>${this.copied ? "Copied" : "Copy WGSL"}</button>
      </div>
      <pre tabindex="0" role="region" aria-label="WGSL"><code>${wgslTokens(kernel.source).map(({ kind, text }) =>
        kind === "plain" ? text : html`<span class=${kind}>${text}</span>`,
      )}</code></pre>
      <span class="unseen" role="status">${this.copied ? "The source is on the clipboard." : ""}</span>
    `;
  }

  async #copy(): Promise<void> {
    await navigator.clipboard.writeText(this.kernel?.source ?? "");
    this.copied = true;
  }
}

customElements.define("kernel-source", KernelSource);
