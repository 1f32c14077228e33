/** `<room-facts>`: bytes sent, the newest checkpoint, and which version of the membership this is. */
import { css, html } from "lit";
import type { CSSResult, TemplateResult } from "lit";
import { ViewElement, formatBytes, formatMs, plural, theme } from "hearth/elements";
import type { RoomView } from "hearth/elements";

class RoomFacts extends ViewElement {
  static override styles: CSSResult[] = [
    theme,
    css`
      :host {
        display: block;
      }
      dl {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(100%, 12rem), 1fr));
        gap: 1.25rem 2rem;
        margin: 0;
      }
      dt {
        color: var(--_muted);
        font-size: 0.875rem;
      }
      dd {
        margin: 0;
        font-size: 1.0625rem;
        font-variant-numeric: tabular-nums;
      }
      dd small {
        display: block;
        color: var(--_muted);
        font-size: 0.875rem;
      }
    `,
  ];

  protected override render(): TemplateResult {
    const view = this.view;
    return html`<dl>
      ${fact("Sent by this tab", sent(view), counted(view))} ${fact("Newest checkpoint", checkpoint(view), kept(view))}
      ${fact("Epoch", String(view?.epoch ?? 0), "grows when somebody comes or goes")}
      ${fact("Incarnation", String(view?.incarnation ?? 0), "grows when the run is resumed")}
      ${fact("Data", view?.spec?.data?.name ?? "the run's own", data(view))}
      ${fact("Storage", STORAGE_NAMES[view?.storage?.kind ?? ""] ?? "opening", promise(view))}
      ${fact("Seed", String(view?.spec?.seed ?? "–"), "same seed, same run")}
    </dl>`;
  }
}

function fact(name: string, value: string, small: string): TemplateResult {
  return html`<div>
    <dt>${name}</dt>
    <dd>${value} <small>${small}</small></dd>
  </div>`;
}

function sent(view: RoomView | null): string {
  return formatBytes(view?.bytesSent ?? 0);
}

function counted(view: RoomView | null): string {
  const isByPorts = Object.values(view?.paths ?? {}).includes("port");
  const where = isByPorts ? " over WebRTC" : "";
  return `the browser counts ${formatBytes(view?.bytesSentByBrowser ?? 0)}${where}`;
}

function checkpoint(view: RoomView | null): string {
  return view?.checkpoint ? `step ${view.checkpoint.step.toLocaleString("en")}` : "none yet";
}

function kept(view: RoomView | null): string {
  if (!view?.checkpoint) return view?.spec ? `one every ${plural(view.spec.checkpointEvery, "step")}` : "";
  const { copies, ms, scheme, lossChance } = view.checkpoint;
  const isStriped = scheme !== null && scheme[0] > 1;
  const how = isStriped ? `any ${plural(copies - 1, "device")} can go` : `on ${plural(copies, "device")} at least`;
  const risk = lossChance === null ? "" : `, chance of loss below ${percent(lossChance)}`;
  return `${how}, written in ${formatMs(ms)}${risk}`;
}

/** Rounded up to one figure: it is a bound. */
function percent(chance: number): string {
  if (chance <= 1e-9) return "0.0000001 %";
  const unit = 10 ** Math.floor(Math.log10(chance));
  return `${(Math.ceil(chance / unit) * unit * 100).toLocaleString("en", { maximumSignificantDigits: 1 })} %`;
}

const STORAGE_NAMES: Readonly<Record<string, string>> = { opfs: "private files", "indexed-db": "IndexedDB" };

function promise(view: RoomView | null): string {
  const isPersistent = view?.storage?.isPersistent ?? null;
  if (isPersistent === null) return "asked the browser to keep it";
  return isPersistent ? "the browser keeps it" : "the browser may take it back when its disk is full";
}

function data(view: RoomView | null): string {
  return view?.spec?.data ? formatBytes(view.spec.data.bytes) : "needs no file";
}

customElements.define("room-facts", RoomFacts);
