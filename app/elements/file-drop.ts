/**
 * `<file-drop>`: a file, chosen with a button or dropped anywhere on the page. Fires `file-change` with the file, or
 * null when it was taken back, as `detail`. Whether the file will do is not judged here.
 */
import { LitElement, css, html, nothing } from "lit";
import type { CSSResult, PropertyDeclarations, TemplateResult } from "lit";
import { formatBytes, theme } from "hearth/elements";
import { controls } from "../styles/controls.ts";

export class FileDrop extends LitElement {
  static override properties: PropertyDeclarations = {
    accept: {},
    label: {},
    file: { attribute: false },
    isOver: { state: true },
  };
  static override styles: CSSResult[] = [
    theme,
    controls,
    css`
      .zone {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0.75rem 1rem;
        padding: 1rem 1.25rem;
        border: 1px dashed var(--_edge);
        border-radius: 0.75rem;
      }
      .zone p {
        flex: 1 1 12rem;
        min-width: 0;
        margin: 0;
        overflow-wrap: anywhere;
      }
      .over {
        border-color: var(--_ember);
        background: color-mix(in srgb, var(--_glow), transparent 88%);
      }
      input {
        display: none;
      }
      .veil {
        position: fixed;
        z-index: 10;
        inset: 0.75rem;
        display: grid;
        place-content: center;
        border: 0.1875rem dashed var(--_ember);
        border-radius: 1.5rem;
        background: color-mix(in srgb, var(--_surface), transparent 8%);
        color: var(--_ink);
        font: 2rem var(--_display);
        pointer-events: none;
      }
    `,
  ];

  /** For the file picker, as the `accept` attribute of an input. */
  declare accept: string;
  /** What to do, while there is no file. */
  declare label: string;
  declare file: File | null;
  declare protected isOver: boolean;
  #gone = new AbortController();

  constructor() {
    super();
    this.accept = "";
    this.label = "Drop a file anywhere on this page.";
    this.file = null;
    this.isOver = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#gone = new AbortController();
    const { signal } = this.#gone;
    addEventListener("dragover", (event) => this.#over(event), { signal });
    addEventListener("dragleave", (event) => this.#left(event), { signal });
    addEventListener("drop", (event) => this.#drop(event), { signal });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#gone.abort();
  }

  protected override render(): TemplateResult {
    const { file } = this;
    return html`
      <div class="zone ${this.isOver ? "over" : ""}">
        <p role="status">
          ${file ? html`<strong>${file.name}</strong> <span class="hint">${formatBytes(file.size)}</span>` : this.label}
        </p>
        <input
          id="data-file"
          type="file"
          accept=${this.accept}
          tabindex="-1"
          @change=${(event: Event) => this.#picked(event)}
        />
        <button class="button" type="button" @click=${() => this.renderRoot.querySelector("input")?.click()}>
          ${file ? "Choose another" : "Choose a file"}
        </button>
        ${
          file
            ? html`<button class="button" type="button" @click=${() => this.#take(null)}>Take it back</button>`
            : nothing
        }
      </div>
      ${this.isOver ? html`<div class="veil">Let it fall</div>` : nothing}
    `;
  }

  #over(event: DragEvent): void {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    this.isOver = true;
  }

  #left(event: DragEvent): void {
    // Only when the pointer leaves the window; between elements there is a next one.
    if (event.relatedTarget === null) this.isOver = false;
  }

  #drop(event: DragEvent): void {
    this.isOver = false;
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    event.preventDefault();
    this.#take(file);
  }

  #picked(event: Event): void {
    const input = event.target as HTMLInputElement;
    const file = input.files?.[0];
    input.value = "";
    if (file) this.#take(file);
  }

  #take(file: File | null): void {
    this.file = file;
    this.dispatchEvent(new CustomEvent("file-change", { detail: file, bubbles: true, composed: true }));
  }
}

customElements.define("file-drop", FileDrop);
