/**
 * `<hearth-room-link>`: how others come in: the link, a button that copies it, and its QR code.
 *
 * The code is dark on light in both colour schemes, since many scanners refuse the inverse, with the quiet zone of
 * four modules that ISO/IEC 18004 asks for.
 */
import { LitElement, css, html, nothing, svg } from "lit";
import type { CSSResult, PropertyDeclarations, PropertyValues, TemplateResult } from "lit";
import { qrPath } from "./qr-path.ts";
import type { QrPath } from "./qr-path.ts";
import { theme } from "./theme.ts";
import { defineElement } from "./view-element.ts";

const COPIED_MS = 2_500;
const LOCAL_HOST = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** The way into a room. `url` is this page's address, without its query, unless set. */
export class HearthRoomLink extends LitElement {
  static override properties: PropertyDeclarations = { url: {}, copied: { state: true } };
  /** The theme's, and its own. */
  static override styles: CSSResult[] = [
    theme,
    css`
      :host {
        display: block;
        container-type: inline-size;
      }
      .code {
        display: block;
        width: 100%;
        max-width: var(--hearth-qr-size, 15rem);
        height: auto;
        margin-inline: auto;
        border-radius: 0.75rem;
        background: #fffaf2;
      }
      .row {
        display: flex;
        gap: 0.5rem;
        margin-top: 1rem;
      }
      input {
        flex: 1;
        min-width: 0;
        padding: 0.5rem 0.75rem;
        border: 1px solid var(--_edge);
        border-radius: 0.5rem;
        background: var(--_ground);
        color: var(--_ink);
        font: 0.875rem var(--_mono);
        text-overflow: ellipsis;
      }
      button {
        min-width: 5.5rem;
        padding: 0.5rem 0.875rem;
        border: 1px solid var(--_ember);
        border-radius: 0.5rem;
        background: transparent;
        color: var(--_ember);
        font: 600 0.9375rem var(--_font);
        cursor: pointer;
      }
      button:hover {
        background: color-mix(in srgb, var(--_ember), transparent 88%);
      }
      p {
        margin: 0.625rem 0 0;
        color: var(--_muted);
        font-size: 0.875rem;
      }
    `,
  ];

  /** The link to show. */
  declare url: string;
  declare protected copied: boolean;

  #code: QrPath | null = null;

  constructor() {
    super();
    this.url = `${location.origin}${location.pathname}`;
    this.copied = false;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("url")) this.#code = qrPath(this.url);
  }

  protected override render(): TemplateResult {
    return html`
      ${this.#code ? drawCode(this.#code) : nothing}
      <div class="row">
        <input readonly aria-label="Link to this room" .value=${this.url} @focus=${selectAll} />
        <button type="button" @click=${() => void this.#copy()}>${this.copied ? "Copied" : "Copy"}</button>
      </div>
      <span class="unseen" role="status">${this.copied ? "The link is copied." : ""}</span>
      ${
        isLocal(this.url)
          ? html`<p>
              This link works on this computer only. For others, open the page under this computer's network name.
            </p>`
          : nothing
      }
    `;
  }

  /** The clipboard needs a secure origin; elsewhere the old command copies the selected text. */
  async #copy(): Promise<void> {
    const input = this.renderRoot.querySelector("input");
    try {
      await navigator.clipboard.writeText(this.url);
      this.copied = true;
    } catch {
      input?.select();
      this.copied = document.execCommand("copy");
    }
    setTimeout(() => (this.copied = false), COPIED_MS);
  }
}

function drawCode({ path, size }: QrPath): TemplateResult {
  return html`<svg class="code" role="img" aria-label="QR code of the link" viewBox="0 0 ${size} ${size}">
    ${svg`<path d=${path} fill="#1d1411" shape-rendering="crispEdges" />`}
  </svg>`;
}

function selectAll(event: Event): void {
  (event.target as HTMLInputElement).select();
}

function isLocal(url: string): boolean {
  return URL.canParse(url) && LOCAL_HOST.test(new URL(url).hostname);
}

defineElement("hearth-room-link", HearthRoomLink);

declare global {
  interface HTMLElementTagNameMap {
    "hearth-room-link": HearthRoomLink;
  }
}
