/** The start page: what hearth is, a room to start, a room to join. */
import { LitElement, css, html, nothing } from "lit";
import type { CSSResult, PropertyDeclarations, TemplateResult } from "lit";
import { theme } from "hearth/elements";
import "../elements/join-form.ts";
import "../elements/start-form.ts";
import { navigate } from "../navigation.ts";
import { SERVER_AWAY, isServerThere, untilServerThere } from "../server-health.ts";
import { controls } from "../styles/controls.ts";

class HomePage extends LitElement {
  static override properties: PropertyDeclarations = { isServerAway: { state: true } };
  static override styles: CSSResult[] = [
    theme,
    controls,
    css`
      :host {
        display: block;
      }
      .soot {
        display: grid;
        grid-template-columns: minmax(0, 1fr) minmax(10rem, 22rem);
        align-items: end;
        gap: 1rem clamp(1rem, 5vw, 5rem);
        padding: clamp(1.75rem, 5vw, 4rem) clamp(1.5rem, 6vw, 5rem) 0;
        border-radius: clamp(2rem, 9vw, 9rem) clamp(2rem, 9vw, 9rem) var(--_radius) var(--_radius);
        overflow: hidden;
      }
      .words {
        padding-bottom: clamp(1.75rem, 5vw, 4rem);
      }
      h1 {
        max-width: 12em;
        font-size: clamp(2.125rem, 1.2rem + 3.6vw, 4rem);
        letter-spacing: -0.015em;
      }
      .lead {
        max-width: 33em;
        margin: 1.5rem 0 0;
        color: var(--_muted);
        font-size: 1.125rem;
      }
      hearth-fire {
        align-self: end;
        margin-bottom: -0.5rem;
      }
      .away {
        margin-top: 1.5rem;
      }
      .doors {
        display: grid;
        grid-template-columns: minmax(0, 2.2fr) minmax(0, 1fr);
        align-items: start;
        gap: 1.5rem;
        margin-top: 1.5rem;
      }
      .side {
        display: grid;
        gap: 1.5rem;
      }
      .facts {
        margin: 0;
        padding: 0 0.25rem;
        list-style: none;
      }
      .facts li {
        padding-block: 0.875rem;
        border-top: 1px solid var(--_rule);
        color: var(--_muted);
        font-size: 0.9375rem;
      }
      .facts li:first-child {
        border-top: 0;
      }
      .facts strong {
        display: block;
        color: var(--_ink);
        font: 500 1.125rem var(--_display);
      }
      @media (max-width: 54rem) {
        .doors {
          grid-template-columns: minmax(0, 1fr);
        }
      }
      @media (max-width: 40rem) {
        .soot {
          grid-template-columns: minmax(0, 1fr);
          border-radius: 10rem 10rem var(--_radius) var(--_radius);
          gap: 1.5rem;
          padding-top: 2rem;
        }
        .words {
          padding-bottom: 2rem;
        }
        hearth-fire {
          order: -1;
          width: 11rem;
          margin-inline: auto;
        }
      }
    `,
  ];

  declare protected isServerAway: boolean;
  #gone = new AbortController();

  constructor() {
    super();
    this.isServerAway = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#gone = new AbortController();
    void this.#watchServer(this.#gone.signal);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#gone.abort();
  }

  async #watchServer(signal: AbortSignal): Promise<void> {
    this.isServerAway = !(await isServerThere()) && !signal.aborted;
    if (!this.isServerAway) return;
    await untilServerThere(signal);
    this.isServerAway = false;
  }

  protected override render(): TemplateResult {
    return html`
      <section class="soot">
        <div class="words">
          <h1 tabindex="-1">Train one model together, in browser tabs</h1>
          <p class="lead">
            Whoever opens a room's link lends it a share of their GPU, and everyone watches the same model learn. Leave
            at any moment: the others train on, and nothing is lost.
          </p>
        </div>
        <hearth-fire></hearth-fire>
      </section>
      <div role="alert">${this.isServerAway ? html`<p class="problem away">${SERVER_AWAY}</p>` : nothing}</div>
      <div class="doors">
        <start-form class="card"></start-form>
        <div class="side">
          <join-form class="card"></join-form>
          <section class="card" aria-labelledby="pool">
            <h2 id="pool">Help any run</h2>
            <p class="hint">The server gives this tab to a run that waits for members, and says why.</p>
            <p><a class="button" href="/pool" @click=${open("/pool")}>Help any run</a></p>
          </section>
          <ul class="facts">
            <li><strong>Your tab is the machine</strong>WebGPU where there is one, else the CPU.</li>
            <li>
              <strong>Straight from tab to tab</strong>Data and gradients travel over WebRTC. The server sees neither.
            </li>
            <li><strong>Kept by everyone</strong>Each device stores its share of every checkpoint.</li>
            <li>
              <strong>Nothing hidden</strong>
              <a href="/inspect" @click=${open("/inspect")}>Look inside a step</a>: its kernels, their sources and
              times.
            </li>
          </ul>
        </div>
      </div>
    `;
  }
}

/** Follows a link within the page. */
function open(path: string): (event: MouseEvent) => void {
  return (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    navigate(path);
  };
}

customElements.define("home-page", HomePage);
