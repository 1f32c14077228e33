/** `<queue-table>`: every run that asks the pool for members, how it stands and why, looked up every two seconds. */
import { LitElement, css, html } from "lit";
import type { CSSResult, PropertyDeclarations, TemplateResult } from "lit";
import { plural, theme } from "hearth/elements";

const AGAIN_MS = 2_000;
const ANSWER_MS_MAX = 4_000;

/** As `/queue` tells it. */
interface QueuedRun {
  readonly label: string;
  readonly state: string;
  readonly priority: number;
  readonly step: number;
  readonly steps: number;
  readonly members: number;
  readonly membersMin: number;
  readonly membersMax: number;
  readonly memberSeconds: number;
  readonly reason: string;
}

interface Queue {
  readonly members: number;
  readonly free: number;
  readonly runs: readonly QueuedRun[];
}

class QueueTable extends LitElement {
  static override properties: PropertyDeclarations = { queue: { state: true } };
  static override styles: CSSResult[] = [
    theme,
    css`
      :host {
        display: block;
        overflow-x: auto;
      }
      table {
        width: 100%;
        border-collapse: collapse;
        font-size: 0.9375rem;
        font-variant-numeric: tabular-nums;
      }
      th,
      td {
        padding: 0.5rem 0.75rem 0.5rem 0;
        border-top: 1px solid var(--_rule);
        text-align: start;
        vertical-align: top;
      }
      th {
        border-top: 0;
        color: var(--_muted);
        font-weight: 400;
      }
      td:last-child {
        min-width: 18rem;
      }
      p {
        margin: 0 0 0.75rem;
        color: var(--_muted);
      }
    `,
  ];

  declare protected queue: Queue | null;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor() {
    super();
    this.queue = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#look();
    this.#timer = setInterval(() => void this.#look(), AGAIN_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.#timer);
  }

  protected override render(): TemplateResult {
    const { queue } = this;
    if (!queue) return html`<p>Asking the server.</p>`;
    const pool = html`<p>${plural(queue.members, "tab")} in the pool, ${queue.free} of them free.</p>`;
    if (queue.runs.length === 0)
      return html`${pool}
        <p>No run asks for members now.</p>`;
    return html`${pool}
      <table tabindex="0" aria-label="Runs">
        <thead>
          <tr>
            ${["Run", "State", "Priority", "Step", "Members", "Used", "Why"].map((name) => html`<th>${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${queue.runs.map(row)}
        </tbody>
      </table>`;
  }

  /** The last answer stays while the server is away. */
  async #look(): Promise<void> {
    const signal = AbortSignal.timeout(ANSWER_MS_MAX);
    const answer = await fetch("/queue", { cache: "no-store", signal }).catch(() => null);
    if (answer?.ok) this.queue = (await answer.json().catch(() => this.queue)) as Queue | null;
  }
}

function row(run: QueuedRun): TemplateResult {
  return html`<tr>
    <td>${run.label}</td>
    <td>${run.state}</td>
    <td>${run.priority}</td>
    <td>${run.step} of ${run.steps}</td>
    <td>${run.members} (${run.membersMin} to ${run.membersMax})</td>
    <td>${run.memberSeconds} s</td>
    <td>${run.reason}</td>
  </tr>`;
}

customElements.define("queue-table", QueueTable);
