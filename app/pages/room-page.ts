/** A room: joined as soon as the page opens, and shown as it trains. */
import { html, nothing } from "lit";
import type { CSSResult, PropertyDeclarations, PropertyValues, TemplateResult } from "lit";
import { ViewElement, theme } from "hearth/elements";
import type { RoomView } from "hearth/elements";
import "../elements/event-log.ts";
import "../elements/file-drop.ts";
import "../elements/memory-budget.ts";
import "../elements/own-limits.ts";
import "../elements/room-facts.ts";
import { navigate } from "../navigation.ts";
import { RoomSession } from "../room-session.ts";
import { runs } from "../runs.ts";
import { controls } from "../styles/controls.ts";
import { roomPageStyles } from "./room-page-styles.ts";

/** By then the browser has taken the file over. */
const DOWNLOAD_MS_MAX = 60_000;

/** Extends ViewElement for its pace: however fast views come, the page renders at most four times a second. */
class RoomPage extends ViewElement {
  static override properties: PropertyDeclarations = { room: { attribute: false } };
  static override styles: CSSResult[] = [theme, controls, roomPageStyles];

  declare room: string;
  readonly #session: RoomSession = new RoomSession(
    this,
    () => this.room,
    () => this.#shown(),
  );

  constructor() {
    super();
    this.room = "";
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    // Another room in the same page: that one is joined, and this one left.
    if (changed.has("room")) this.#session.enter();
    this.view = this.#session.view;
    document.title = titleOf(this.view);
  }

  protected override render(): TemplateResult {
    const { view, problem } = this.#session;
    // Refused or never reached: there is no room to show, only the reason and the way out.
    const isNowhere = !view?.spec && (problem ?? view?.problem ?? null) !== null;
    return html`
      <section class="soot" aria-label="The run">
        <div class="top">
          <div>
            <h1 tabindex="-1">${isNowhere ? "This tab is not in the room" : headline(view)}</h1>
            <div role="alert">${problem ? html`<p class="problem">${problem}</p>` : nothing}</div>
            ${view || !problem ? html`<hearth-status .view=${view}></hearth-status>` : nothing}
            ${isNowhere ? this.#wayOut() : view ? this.#buttons(view) : nothing}
          </div>
          <hearth-fire .view=${view}></hearth-fire>
        </div>
        ${isNowhere ? nothing : html`<hearth-loss-chart .view=${view}></hearth-loss-chart>`}
      </section>
      ${view?.needsFile ? this.#missingFile(view.needsFile) : nothing} ${isNowhere ? nothing : this.#cards(view)}
    `;
  }

  #shown(): void {
    const { view } = this.#session;
    const isOver = view?.phase === "stopped" && this.view?.phase !== "stopped";
    this.view = view;
    if (isOver) this.dispatchEvent(new CustomEvent("room-over", { detail: view.problem }));
  }

  #cards(view: RoomView | null): TemplateResult {
    const mayWrite = view?.phase === "training" || view?.phase === "finished";
    return html`
      <div class="side">
        ${card("Invite others", html`<hearth-room-link></hearth-room-link>`)}
        ${card("Around the fire", html`<hearth-members .view=${view}></hearth-members>`)}
        ${view && view.phase !== "stopped" ? card("What this tab gives", this.#limits(view)) : nothing}
      </div>
      <div class="main-column">
        ${card(
          "What the model writes",
          html`<hearth-sample .view=${view}></hearth-sample> ${
              mayWrite
                ? html`<button class="button" @click=${() => void this.#session.command((run) => run.sampleNow())}>
                    Write something now
                  </button>`
                : nothing
            }`,
        )}
        ${card(
          "Where a step's time goes",
          html`<hearth-step-time .view=${view}></hearth-step-time> ${view?.spec ? insideLink(view.spec.run) : nothing}`,
        )}
        ${view?.memory ? card("What this tab's memory holds", this.#memory(view)) : nothing}
        ${card("Who reaches whom", html`<hearth-link-matrix .view=${view}></hearth-link-matrix>`)}
        ${card("Kept and sent", html`<room-facts .view=${view}></room-facts>`)}
        ${card("What happened", html`<event-log .view=${view}></event-log>`)}
      </div>
    `;
  }

  #memory(view: RoomView): TemplateResult {
    return html`<hearth-memory .memory=${view.memory}></hearth-memory> ${
        view.phase === "stopped"
          ? nothing
          : html`<memory-budget
              .memory=${view.memory}
              @budget-change=${({ detail }: CustomEvent<number | null>) => void this.#session.setMemoryBudget(detail)}
            ></memory-budget>`
      }`;
  }

  #limits({ members, self }: RoomView): TemplateResult {
    return html`<own-limits
      .offer=${members.find(({ peer }) => peer === self)?.offer ?? null}
      @share-change=${({ detail }: CustomEvent<number>) => void this.#session.setShare(detail)}
      @minutes-change=${({ detail }: CustomEvent<number | null>) => void this.#session.setMinutes(detail)}
    ></own-limits>`;
  }

  #buttons(view: RoomView): TemplateResult {
    const { phase } = view;
    if (phase === "stopped") return this.#wayOut();
    const act = (command: "pause" | "resume" | "leave") => () => void this.#session.command((run) => run[command]());
    return html`<div class="buttons">
      ${
        phase === "finished"
          ? nothing
          : phase === "paused"
            ? html`<button class="button main" @click=${act("resume")}>Resume</button>`
            : html`<button class="button" @click=${act("pause")}>Pause this tab</button>`
      }
      <button class="button" @click=${act("leave")}>Leave</button>
      ${
        view.checkpoint
          ? html`<button class="button" @click=${() => void this.#download(view)}>Download checkpoint</button>`
          : nothing
      }
    </div>`;
  }

  /** The newest checkpoint as a file; a room can be started from it. */
  async #download({ spec }: RoomView): Promise<void> {
    await this.#session.command(async (run) => {
      const file = new Blob([await run.exportCheckpoint()], { type: "application/octet-stream" });
      const url = URL.createObjectURL(file);
      const link = document.createElement("a");
      link.href = url;
      link.download = `${spec?.run ?? "checkpoint"}.safetensors`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), DOWNLOAD_MS_MAX);
    });
  }

  #wayOut(): TemplateResult {
    return html`<div class="buttons">
      <button class="button main" @click=${() => void this.#session.join()}>Join again</button>
      <a class="button" href="/" @click=${home}>Start page</a>
    </div>`;
  }

  #missingFile(needed: string): TemplateResult {
    return html`<section class="card needed" aria-labelledby="needed">
      <h2 id="needed">The room's file is missing</h2>
      <p>This room trains on “${needed}”, and no tab that is here now has it.</p>
      <file-drop
        label="Drop it anywhere on this page. It stays among the tabs of this room."
        @file-change=${(event: CustomEvent<File | null>) => this.#offer(event.detail)}
      ></file-drop>
    </section>`;
  }

  #offer(file: File | null): void {
    if (file) void this.#session.command((run) => run.offerFile(file));
  }
}

function card(title: string, content: TemplateResult): TemplateResult {
  return html`<section class="card" aria-label=${title}>
    <h2>${title}</h2>
    ${content}
  </section>`;
}

/** In a tab of its own: following it here would leave the room. */
function insideLink(run: string): TemplateResult {
  return html`<p class="hint inside">
    <a href="/inspect/${run}" target="_blank">Look inside a step of this run</a>, in a tab of its own.
  </p>`;
}

function headline(view: RoomView | null): string {
  const name = view?.spec?.run;
  if (name === undefined) return "A room";
  return runs.find((run) => run.name === name)?.title ?? name;
}

function titleOf(view: RoomView | null): string {
  if (!view?.spec) return "hearth";
  const loss = view.loss === null ? "" : ` · loss ${view.loss.toFixed(2)}`;
  return `step ${view.step}${loss} · hearth`;
}

function home(event: MouseEvent): void {
  event.preventDefault();
  navigate("/");
}

customElements.define("room-page", RoomPage);
