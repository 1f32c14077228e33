/** The page's entry: shows the page that the address asks for. Code of other pages loads when they are opened. */
import { LitElement, css, html } from "lit";
import type { CSSResult, PropertyDeclarations, PropertyValues, TemplateResult } from "lit";
import { theme } from "hearth/elements";
import { navigate, onNavigation, routeOf } from "./navigation.ts";
import type { Route } from "./navigation.ts";
import { controls } from "./styles/controls.ts";
import "./pages/home-page.ts";

class HearthApp extends LitElement {
  static override properties: PropertyDeclarations = { route: { state: true } };
  static override styles: CSSResult[] = [
    theme,
    controls,
    css`
      :host {
        display: block;
      }
      header,
      main {
        max-width: 90rem;
        margin-inline: auto;
        padding-inline: clamp(1rem, 4vw, 3rem);
      }
      header {
        padding-block: 1.25rem;
      }
      main {
        padding-bottom: 4rem;
      }
      .brand {
        display: inline-flex;
        align-items: center;
        gap: 0.625rem;
        color: inherit;
        font: 500 1.5rem/1 var(--_display);
        letter-spacing: 0.01em;
        text-decoration: none;
      }
      .brand svg {
        width: 1.75rem;
        height: 1.75rem;
      }
      .lost {
        max-width: 36rem;
        padding-block: 4rem;
      }
      .lost h1 {
        margin-bottom: 1rem;
        font-size: 2rem;
      }
    `,
  ];

  declare protected route: Route;
  #gone = new AbortController();

  constructor() {
    super();
    this.route = routeOf(location.pathname);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#gone = new AbortController();
    onNavigation(() => (this.route = routeOf(location.pathname)), this.#gone.signal);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#gone.abort();
  }

  protected override willUpdate(): void {
    if (this.route.kind === "room") void import("./pages/room-page.ts");
    else if (this.route.kind === "pool") void import("./pages/pool-page.ts");
    else if (this.route.kind === "inspect") void import("./pages/inspect-page.ts");
    else document.title = "hearth";
  }

  protected override render(): TemplateResult {
    return html`
      <header>
        <a class="brand" href="/" @click=${goHome}>${MARK}<span>hearth</span></a>
      </header>
      <main>${page(this.route)}</main>
    `;
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.get("route") !== undefined) void this.#startReading();
  }

  /** After a change of page within the document, keyboard and screen reader go on at the new page's heading. */
  async #startReading(): Promise<void> {
    scrollTo(0, 0);
    const page = this.renderRoot.querySelector<LitElement>("main > *");
    if (!page) return;
    if (page.localName.includes("-")) await customElements.whenDefined(page.localName);
    await page.updateComplete;
    page.shadowRoot?.querySelector("h1")?.focus({ preventScroll: true });
  }
}

function page(route: Route): TemplateResult {
  switch (route.kind) {
    case "home":
      return html`<home-page></home-page>`;
    case "room":
      return html`<room-page .room=${route.room}></room-page>`;
    case "pool":
      return html`<pool-page></pool-page>`;
    case "inspect":
      return html`<inspect-page .model=${route.model}></inspect-page>`;
    case "unknown":
      return html`<div class="lost">
        <h1>There is nothing here</h1>
        <p>No page has the address ${route.path}. A room's link looks like ${location.origin}/room/&hellip;</p>
        <a class="button main" href="/" @click=${goHome}>To the start page</a>
      </div>`;
    default:
      return route satisfies never;
  }
}

function goHome(event: MouseEvent): void {
  if (event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  navigate("/");
}

const MARK = html`<svg viewBox="0 0 32 32" aria-hidden="true">
  <path fill="#1d1714" stroke="#5b4a40" d="M2.500 31.500V16a13.500 13.500 0 0 1 27 0v15.500z" />
  <path
    fill="#ee6112"
    d="M16.500 6c1.300 6.500 9 9.500 9 17a9.500 8 0 0 1-19 0c0-4.500 2.500-6.500 3.500-10 2 1.500 2.800 3 3 5 2.200-3 3.500-7 3.500-12z"
  />
  <path
    fill="#ffd58a"
    d="M16.300 17c.6 3 4 4.200 4 8a4.300 4 0 0 1-8.600 0c0-2 1.200-3 1.800-4.800 1 .7 1.300 1.400 1.400 2.300.9-1.500 1.400-3.200 1.400-5.500z"
  />
</svg>`;

customElements.define("hearth-app", HearthApp);
