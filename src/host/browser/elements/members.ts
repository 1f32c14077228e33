/**
 * `<hearth-members>`: who trains here, with device, state, slots, speed, the way to each, what each gives and the memory of the others.
 * Whoever goes stays in the list for a few seconds, greyed, so that people see the going and not only a shorter list.
 */
import { css, html, nothing } from "lit";
import type { CSSResult, PropertyValues, TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { RosterEntry } from "../../../network/wire/messages.ts";
import type { RoomView } from "../room-view.ts";
import { plural, threeDigits } from "./format.ts";
import "./memory.ts";
import { offerWords } from "./offer-words.ts";
import { peerHue, peerName } from "./peer-name.ts";
import { theme } from "./theme.ts";
import { ViewElement, defineElement } from "./view-element.ts";

const FAREWELL_MS = 8_000;
const SHOWN_MAX = 12; // The rest of a classroom waits behind a button.

const STATES: Readonly<Record<RosterEntry["state"], string>> = {
  preparing: "getting ready",
  waiting: "waiting",
  syncing: "gathering",
  training: "training",
  paused: "paused",
  leaving: "handing over",
};

/** Ways to a peer, as people call them. */
export const PATHS: Readonly<Record<string, string>> = {
  webrtc: "WebRTC",
  page: "WebRTC, through the page",
  relay: "relayed by the server",
  port: "same browser",
  simulated: "simulated",
};

interface Gone {
  readonly member: RosterEntry;
  readonly untilMs: number;
}

/** The members of a room. Set `view`. */
export class HearthMembers extends ViewElement {
  /** The theme's, and its own. */
  static override styles: CSSResult[] = [
    theme,
    css`
      :host {
        display: block;
      }
      ul {
        margin: 0;
        padding: 0;
        list-style: none;
      }
      li {
        display: grid;
        grid-template-columns: auto 1fr auto;
        gap: 0 0.75rem;
        align-items: baseline;
        padding-block: 0.75rem;
        border-block-start: 1px solid var(--_rule);
        animation: arrive 0.6s ease-out;
      }
      li:first-child {
        border-block-start: 0;
        padding-block-start: 0;
      }
      li:last-child {
        padding-block-end: 0;
      }
      .coal {
        align-self: center;
        width: 0.875rem;
        height: 0.875rem;
        border-radius: 50%;
        background: light-dark(oklch(0.62 0.15 var(--hue)), oklch(0.74 0.14 var(--hue)));
      }
      .name {
        overflow-wrap: anywhere;
        font-weight: 600;
      }
      .self {
        margin-inline-start: 0.375rem;
        padding: 0.0625rem 0.5rem;
        border: 1px solid var(--_ember);
        border-radius: 1rem;
        color: var(--_ember);
        font-size: 0.75rem;
        font-weight: 500;
        white-space: nowrap;
      }
      .state {
        color: var(--_muted);
        font-size: 0.875rem;
        text-align: end;
      }
      .state.training {
        color: var(--_good);
      }
      .facts {
        grid-column: 2 / -1;
        display: flex;
        flex-wrap: wrap;
        gap: 0 0.875rem;
        margin: 0.125rem 0 0;
        color: var(--_muted);
        font-size: 0.875rem;
      }
      .facts > * {
        overflow-wrap: anywhere;
      }
      hearth-memory {
        grid-column: 2 / -1;
        margin-top: 0.375rem;
      }
      .gone {
        opacity: 0.75;
      }
      .gone .name {
        font-weight: 400;
        text-decoration: line-through;
      }
      .gone .coal {
        background: var(--_edge);
      }
      .none {
        margin: 0;
        color: var(--_muted);
      }
      summary {
        padding-top: 0.75rem;
        border-top: 1px solid var(--_rule);
        color: var(--_muted);
        cursor: pointer;
      }
      details ul {
        margin-top: 0.75rem;
      }
      @keyframes arrive {
        from {
          opacity: 0;
          transform: translateY(-0.375rem);
        }
      }
      @media (prefers-reduced-motion: reduce) {
        li {
          animation: none;
        }
      }
    `,
  ];

  #members: readonly RosterEntry[] = [];
  #gone: Gone[] = [];

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    const members = this.view?.members ?? [];
    const here = new Set(members.map((member) => member.peer));
    const nowMs = performance.now();
    this.#gone = this.#gone.filter((gone) => gone.untilMs > nowMs && !here.has(gone.member.peer));
    for (const member of this.#members) {
      if (here.has(member.peer)) continue;
      this.#gone.push({ member, untilMs: nowMs + FAREWELL_MS });
      setTimeout(() => this.requestUpdate(), FAREWELL_MS + 50);
    }
    this.#members = members;
  }

  protected override render(): TemplateResult {
    const view = this.view;
    if (!view || (view.members.length === 0 && this.#gone.length === 0))
      return html`<p class="none">Nobody trains here yet.</p>`;
    const isSelf = (member: RosterEntry): number => (member.peer === view.self ? 0 : 1);
    const members = [...view.members].sort((a, b) => isSelf(a) - isSelf(b));
    const list = (some: readonly RosterEntry[]): unknown =>
      repeat(
        some,
        (member) => member.peer,
        (member) => present(member, view),
      );
    return html`
      <ul>
        ${list(members.slice(0, SHOWN_MAX))}
        ${repeat(
          this.#gone,
          (gone) => gone.member.peer,
          (gone) => departed(gone.member),
        )}
      </ul>
      ${
        members.length > SHOWN_MAX
          ? html`<details>
              <summary>And ${members.length - SHOWN_MAX} more</summary>
              <ul>
                ${list(members.slice(SHOWN_MAX))}
              </ul>
            </details>`
          : nothing
      }
    `;
  }
}

function present(member: RosterEntry, view: RoomView): TemplateResult {
  const isSelf = member.peer === view.self;
  const path = view.paths[member.peer];
  const memory = isSelf ? undefined : view.memories[member.peer];
  return html`<li style="--hue: ${peerHue(member.peer)}">
    <span class="coal"></span>
    <span class="name">${peerName(member.peer)}${isSelf ? html` <span class="self">this tab</span>` : nothing}</span>
    <span class="state ${member.state}">${STATES[member.state]}</span>
    <p class="facts number">
      <span>${engineName(member.engine)}</span>
      <span>${plural(member.slots, "slot")}</span>
      <span>${threeDigits(member.slotsPerSecond)} slots/s</span>
      ${isSelf || path === undefined ? nothing : html`<span>${PATHS[path] ?? path}</span>`}
    </p>
    ${
      member.offer
        ? html`<p class="facts offer">${offerWords(member.offer).map((words) => html`<span>${words}</span>`)}</p>`
        : nothing
    }
    ${memory ? html`<hearth-memory compact .memory=${memory}></hearth-memory>` : nothing}
  </li>`;
}

function departed(member: RosterEntry): TemplateResult {
  return html`<li class="gone" style="--hue: ${peerHue(member.peer)}">
    <span class="coal"></span><span class="name">${peerName(member.peer)}</span><span class="state">gone</span>
  </li>`;
}

/** "webgpu: SwiftShader" -> "WebGPU: SwiftShader"; "wasm: CPU (WebAssembly SIMD)" -> "CPU (WebAssembly SIMD)". */
function engineName(engine: string): string {
  return engine.replace(/^webgpu\b/, "WebGPU").replace(/^(wasm|reference): /, "");
}

defineElement("hearth-members", HearthMembers);

declare global {
  interface HTMLElementTagNameMap {
    "hearth-members": HearthMembers;
  }
}
