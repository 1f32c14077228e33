/**
 * What happened and how things stand, in Prometheus' text format (version 0.0.4).
 *
 * No room is named: a room's name is the key to it. Counts are of this process, from its start.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { RefusalCode } from "../src/network/wire/messages.ts";
import type { RunLine } from "../src/network/wire/run-line.ts";
import type { LogRecord } from "../src/training/coordinator/protocol.ts";

/** How things stand, asked for at each scrape. */
export interface Gauges {
  readonly uptimeSeconds: number;
  readonly roomsLoaded: number;
  readonly roomsStored: number;
  readonly members: number;
  readonly observers: number;
  /** Of the loaded room with members whose newest checkpoint is the oldest; null when there is none. */
  readonly checkpointAgeSeconds: number | null;
  readonly logBytes: number;
  readonly peerSockets: number;
  readonly relaySockets: number;
  readonly relayWaitingBytes: number;
}

type Direction = "in" | "out";

const RECORD_COUNTERS = {
  commit: "hearth_steps_committed_total",
  epoch: "hearth_epochs_total",
  rollback: "hearth_rollbacks_total",
  checkpoint: "hearth_checkpoints_total",
} as const satisfies Partial<Record<LogRecord["kind"], string>>;

/** The lag is measured by a timer of this period, and includes it. */
const LAG_PERIOD_MS = 20;

export class Metrics {
  readonly #counts = new Map<string, number>();
  readonly #lag = monitorEventLoopDelay({ resolution: LAG_PERIOD_MS });

  constructor() {
    this.#lag.enable();
  }

  /** A record of a room's log, on the disk. The state of step 0 is no step. */
  record(record: LogRecord): void {
    if (record.kind === "commit" && record.record.step === 0) return;
    if (record.kind in RECORD_COUNTERS) this.#add(RECORD_COUNTERS[record.kind as keyof typeof RECORD_COUNTERS], 1);
  }

  /** A line of a run's public record, once for all who hear it. */
  line(line: RunLine): void {
    if (line.type === "abort") this.#add("hearth_aborts_total", 1);
    if (line.type === "member") this.#add(`hearth_member_events_total{event="${line.event}"}`, 1);
  }

  message(direction: Direction, bytes: number): void {
    this.#add(`hearth_ws_messages_total{direction="${direction}"}`, 1);
    this.#add(`hearth_ws_bytes_total{direction="${direction}"}`, bytes);
  }

  /** A sealed message that the relay passed on. */
  relayed(bytes: number): void {
    this.#add("hearth_relay_messages_total", 1);
    this.#add("hearth_relay_bytes_total", bytes);
  }

  refused(code: RefusalCode): void {
    this.#add(`hearth_refused_total{code="${code}"}`, 1);
  }

  /** The whole page, for one scrape. The lag is over the time since the scrape before. */
  render(gauges: Gauges): string {
    const lag = this.#lag;
    const text = [
      ...gauge("hearth_uptime_seconds", "Time since this process started.", gauges.uptimeSeconds),
      ...gauge("hearth_rooms", "Rooms in memory.", gauges.roomsLoaded),
      ...gauge("hearth_rooms_stored", "Rooms on the disk.", gauges.roomsStored),
      ...gauge("hearth_members_connected", "Members connected to rooms.", gauges.members),
      ...gauge("hearth_observers_connected", "Connections that only watch.", gauges.observers),
      ...gauge("hearth_peerjs_sockets", "Sockets of the PeerJS signaling.", gauges.peerSockets),
      ...gauge("hearth_relay_sockets", "Sockets of the relay.", gauges.relaySockets),
      ...gauge(
        "hearth_relay_waiting_bytes",
        "Bytes at the relay that wait for their receivers.",
        gauges.relayWaitingBytes,
      ),
      ...this.#counter("hearth_steps_committed_total", "Training steps committed."),
      ...this.#counter("hearth_epochs_total", "Membership epochs formed."),
      ...this.#counter("hearth_aborts_total", "Steps aborted and retried."),
      ...this.#counter("hearth_rollbacks_total", "Returns to a checkpoint."),
      ...this.#counter("hearth_checkpoints_total", "Whole checkpoints logged."),
      ...this.#counter("hearth_member_events_total", "Members that joined, left or were lost."),
      ...gauge(
        "hearth_checkpoint_age_seconds",
        "Age of the newest checkpoint, in the room where it is oldest.",
        gauges.checkpointAgeSeconds,
      ),
      ...gauge("hearth_log_bytes", "Size of the commit logs in use.", gauges.logBytes),
      ...this.#counter("hearth_ws_messages_total", "Messages over the coordinator's sockets."),
      ...this.#counter("hearth_ws_bytes_total", "Bytes of those messages."),
      ...this.#counter("hearth_relay_messages_total", "Sealed messages passed between members."),
      ...this.#counter("hearth_relay_bytes_total", "Bytes of those messages."),
      ...this.#counter("hearth_refused_total", "Clients refused, by reason."),
      "# HELP hearth_event_loop_lag_seconds How late timers ran since the last scrape.",
      "# TYPE hearth_event_loop_lag_seconds gauge",
      `hearth_event_loop_lag_seconds{quantile="0.5"} ${seconds(lag.percentile(50))}`,
      `hearth_event_loop_lag_seconds{quantile="0.99"} ${seconds(lag.percentile(99))}`,
      `hearth_event_loop_lag_seconds{quantile="1"} ${seconds(lag.max)}`,
    ];
    lag.reset();
    return `${text.join("\n")}\n`;
  }

  stop(): void {
    this.#lag.disable();
  }

  #add(sample: string, amount: number): void {
    this.#counts.set(sample, (this.#counts.get(sample) ?? 0) + amount);
  }

  /** Counters without labels are there from the start, at 0. */
  #counter(name: string, help: string): string[] {
    const samples = [...this.#counts].filter(([sample]) => sample === name || sample.startsWith(`${name}{`));
    const isPlain = (Object.values(RECORD_COUNTERS) as string[]).includes(name) || name === "hearth_aborts_total";
    if (samples.length === 0 && isPlain) samples.push([name, 0]);
    return [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} counter`,
      ...samples.map(([sample, value]) => `${sample} ${value}`),
    ];
  }
}

function gauge(name: string, help: string, value: number | null): string[] {
  const head = [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`];
  return value === null ? head : [...head, `${name} ${value}`];
}

/** How late, from a measured period in nanoseconds; 0 while nothing was measured. */
function seconds(nanoseconds: number): number {
  return Number.isFinite(nanoseconds) ? Math.max(0, nanoseconds / 1e9 - LAG_PERIOD_MS / 1e3) : 0;
}
