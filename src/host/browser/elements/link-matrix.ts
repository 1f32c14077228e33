/**
 * `<hearth-link-matrix>`: how each two tabs reach each other; of this tab's own links also how long a round trip takes and
 * what they carry of late; and what the room measured of each, from row to column, with the program chosen by it. A
 * table, since that is what it is: rows and columns are members.
 */
import { css, html, nothing } from "lit";
import type { CSSResult, TemplateResult } from "lit";
import type { ChoiceView, RoomView } from "../room-view.ts";
import { formatBytes, formatMs } from "./format.ts";
import { PATHS } from "./members.ts";
import { peerHue, peerName } from "./peer-name.ts";
import { theme } from "./theme.ts";
import { ViewElement, defineElement } from "./view-element.ts";

/** More would be a table that nobody reads. */
const SHOWN_MAX = 8;

/** The links of a room. Set `view`. */
export class HearthLinkMatrix extends ViewElement {
  /** The theme's, and its own. */
  static override styles: CSSResult[] = [
    theme,
    css`
      :host {
        display: block;
      }
      .scroll {
        overflow-x: auto;
        contain: inline-size; /* The page is not to grow with it. */
      }
      table {
        border-collapse: collapse;
        font-size: 0.875rem;
      }
      th {
        padding: 0.375rem 0.5rem;
        font-weight: 600;
        text-align: start;
        vertical-align: top;
      }
      thead th {
        max-width: 7rem;
        vertical-align: bottom;
      }
      th i {
        display: inline-block;
        width: 0.625rem;
        height: 0.625rem;
        margin-inline-end: 0.375rem;
        border-radius: 50%;
        background: light-dark(oklch(0.62 0.15 var(--hue)), oklch(0.74 0.14 var(--hue)));
      }
      td {
        min-width: 6.5rem;
        padding: 0.375rem 0.5rem;
        border: 1px solid var(--_rule);
        vertical-align: top;
      }
      thead td {
        border: 0;
      }
      tbody td.none {
        background: var(--_sunken);
      }
      td small {
        display: block;
        color: var(--_muted);
        font-size: 0.8125rem;
        white-space: nowrap;
      }
      p {
        margin: 0.75rem 0 0;
        color: var(--_muted);
        font-size: 0.875rem;
      }
      p.none {
        margin: 0;
        font-size: 1rem;
      }
    `,
  ];

  protected override render(): TemplateResult {
    const view = this.view;
    const peers = peersOf(view);
    if (view === null || peers.length < 2) return html`<p class="none">There is nobody else to reach yet.</p>`;
    const shown = peers.slice(0, SHOWN_MAX);
    const rest = peers.length - shown.length;
    return html`
      <div class="scroll" role="region" aria-label="Links between tabs" tabindex="0">
        <table>
          <thead>
            <tr>
              <td></td>
              ${shown.map((peer) => html`<th scope="col" style="--hue: ${peerHue(peer)}">${name(peer, view)}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${shown.map(
              (row) =>
                html`<tr>
                  <th scope="row" style="--hue: ${peerHue(row)}">${name(row, view)}</th>
                  ${shown.map((column) => cell(row, column, view))}
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
      ${view.choice === undefined ? nothing : html`<p>${programText(view.choice)}</p>`}
      ${rest > 0 ? html`<p>And ${rest} more, which are not shown.</p>` : nothing}
    `;
  }
}

/** This tab first. */
function peersOf(view: RoomView | null): string[] {
  const peers = (view?.members ?? []).map(({ peer }) => peer);
  return peers.sort((a, b) => Number(b === view?.self) - Number(a === view?.self));
}

function name(peer: string, view: RoomView): TemplateResult {
  return html`<i></i>${peerName(peer)}${peer === view.self ? " (this tab)" : nothing}`;
}

function cell(row: string, column: string, view: RoomView): TemplateResult {
  if (row === column) return html`<td class="none"></td>`;
  const path = pathOf(row, column, view);
  const other = row === view.self ? column : column === view.self ? row : null;
  const link = other === null ? undefined : view.links[other];
  return html`<td class="number">
    ${path === undefined ? "not linked yet" : (PATHS[path] ?? path)}
    ${link === undefined ? nothing : html`<small>${roundTrip(link.roundTripMs)}</small>`}
    ${link === undefined ? nothing : html`<small>${formatBytes(link.bytesPerSecond)}/s</small>`}
    ${measured(row, column, view.choice)}
  </td>`;
}

/** This tab knows its own; those between others come with the last step. */
function pathOf(a: string, b: string, view: RoomView): string | undefined {
  if (a === view.self) return view.links[b]?.path ?? view.paths[b];
  if (b === view.self) return view.links[a]?.path ?? view.paths[a];
  const transport = view.lastStep?.transport ?? {};
  return transport[`${a}|${b}`] ?? transport[`${b}|${a}`];
}

/** What the room's members know of a link, from one to the other. */
function measured(from: string, to: string, choice: ChoiceView | undefined): TemplateResult | typeof nothing {
  const found = choice?.links[choice.peers.indexOf(from)]?.[choice.peers.indexOf(to)];
  if (found === undefined) return nothing;
  return html`<small>can do ${formatBytes(found.bytesPerMs * 1_000)}/s</small>`;
}

function programText({ program }: ChoiceView): string {
  const way = program === null ? "straight to everybody, as usual" : `by the program “${program}”`;
  return `By what was measured, parameters go ${way}.`;
}

function roundTrip(ms: number | null): string {
  return ms === null ? "no round trip yet" : `${formatMs(ms)} there and back`;
}

defineElement("hearth-link-matrix", HearthLinkMatrix);

declare global {
  interface HTMLElementTagNameMap {
    "hearth-link-matrix": HearthLinkMatrix;
  }
}
