/** The pool: this tab helps whichever run needs it, shows that run, and what all runs wait for. */
import { LitElement, css, html, nothing } from "lit";
import type { CSSResult, PropertyDeclarations, TemplateResult } from "lit";
import { theme } from "hearth/elements";
import { joinPool } from "hearth/swarm";
import type { PoolTab, PoolView } from "hearth/swarm";
import "../elements/queue-table.ts";
import { missingFeature } from "../platform.ts";
import { runs } from "../runs.ts";
import { controls } from "../styles/controls.ts";
import "./room-page.ts";

/** From leaving a room to being free: its last words are on their way. */
const LEAVE_MS = 700;

class PoolPage extends LitElement {
  static override properties: PropertyDeclarations = { shown: { state: true }, problem: { state: true } };
  static override styles: CSSResult[] = [
    theme,
    controls,
    css`
      :host {
        display: grid;
        gap: 1.5rem;
      }
      h1 {
        margin-bottom: 0.75rem;
        font-size: 2rem;
      }
      .card p {
        max-width: 45rem;
        margin: 0 0 1rem;
      }
    `,
  ];

  declare protected shown: PoolView | null;
  declare protected problem: string | null;
  #tab: PoolTab | null = null;
  #gone = new AbortController();

  constructor() {
    super();
    this.shown = null;
    this.problem = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#help();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#gone.abort();
  }

  protected override render(): TemplateResult {
    const view = this.shown;
    const isStopped = view?.phase === "stopped" || this.problem !== null;
    return html`
      <section class="card" aria-label="This tab">
        <h1 tabindex="-1">${view?.room ? "This tab helps a run" : "This tab helps any run"}</h1>
        <p role="status">${this.problem ?? view?.reason ?? "Connecting to the server."}</p>
        ${
          isStopped
            ? html`<button class="button main" @click=${() => void this.#help()}>Help again</button>`
            : html`<button class="button" @click=${() => this.#tab?.close()}>Stop helping</button>`
        }
      </section>
      <section class="card" aria-label="All runs">
        <h2>All runs</h2>
        <queue-table></queue-table>
      </section>
      ${
        view?.room
          ? html`<room-page
              .room=${view.room}
              @room-over=${({ detail }: CustomEvent<string | null>) => this.#over(detail)}
            ></room-page>`
          : nothing
      }
    `;
  }

  async #help(): Promise<void> {
    this.#gone.abort();
    this.#gone = new AbortController();
    const { signal } = this.#gone;
    this.problem = missingFeature();
    if (this.problem !== null) return;
    const programs = runs.map(({ name }) => name);
    const tab = await joinPool(location.origin, { programs, signal }).catch((error: unknown) => {
      this.problem = error instanceof Error ? error.message : String(error);
    });
    if (signal.aborted || !tab) return;
    this.#tab = tab;
    tab.addEventListener("view", () => this.#show(tab));
    this.#show(tab);
  }

  #show(tab: PoolTab): void {
    if (tab !== this.#tab) return;
    const isReleased = this.shown?.room != null && tab.view.room === null && tab.view.phase === "waiting";
    this.shown = tab.view;
    document.documentElement.dataset["pool"] = tab.view.phase;
    // Without its room the page takes the element away, which leaves politely.
    if (isReleased) void this.updateComplete.then(() => setTimeout(() => this.#isFree(tab), LEAVE_MS));
  }

  #isFree(tab: PoolTab): void {
    if (tab.view.room === null) tab.idle(null);
  }

  /** The room ended for this tab: by its person, or by something that is wrong here. */
  #over(problem: string | null): void {
    if (this.#tab?.view.room == null) return;
    if (problem === null) this.#tab.close("You left the run: this tab helps no more.");
    else this.#tab.idle(problem);
  }
}

customElements.define("pool-page", PoolPage);
