/** What a page can know of its room: plain data, sent from the engine worker whenever it changes. */
import type { MemorySummary } from "../../network/wire/memory-summary.ts";
import type { HistoryPoint, RosterEntry } from "../../network/wire/messages.ts";
import type { RunSpec } from "../../network/wire/run-spec.ts";
import type { StepLine } from "../../network/wire/run-line.ts";

/** Where this tab stands. `problem` explains `stopped`. */
export type Phase =
  | "connecting" // to the server, for the first time
  | "preparing" // data, model, kernels
  | "waiting" // for others, for shards; `note` says what
  | "syncing" // forming an epoch
  | "training"
  | "reconnecting" // the server is away
  | "paused"
  | "finished"
  | "stopped"; // left, or refused

/** How far the newest checkpoint is. */
export interface CheckpointView {
  readonly step: number;
  readonly generation: number;
  /** Devices that can be lost at once, and one more. */
  readonly copies: number;
  /** k and n: any k of n parts, each on another device, give all back; 1 and 3 are three copies. */
  readonly scheme: readonly [number, number] | null;
  /** Chance at most of losing it before the next one. */
  readonly lossChance: number | null;
  readonly ms: number;
}

/** This browser's storage. */
export interface StorageView {
  readonly kind: string;
  /** Why it is not IndexedDB; null where it is. */
  readonly reason: string | null;
  /** The browser's answer when asked to keep it even where its disk runs full; null before there is one. */
  readonly isPersistent: boolean | null;
}

/** One of this tab's links. */
export interface LinkView {
  readonly path: string;
  /** Of the newest ping, behind what was queued before it; null before there is one. */
  readonly roundTripMs: number | null;
  /** Both ways, of late. */
  readonly bytesPerSecond: number;
}

/** What an epoch's members choose their programs by: they measured it together, to a factor of two. */
export interface ChoiceView {
  readonly peers: readonly string[];
  /** `links[from][to]`, by places in `peers`. */
  readonly links: readonly (readonly { readonly latencyMs: number; readonly bytesPerMs: number }[])[];
  /** By which program parameters go out; null for the usual one. */
  readonly program: string | null;
}

/** A room as one tab sees it. */
export interface RoomView {
  readonly phase: Phase;
  /** One sentence for people on what happens now. */
  readonly note: string;
  /** One clear sentence when something is wrong, else null. */
  readonly problem: string | null;
  readonly self: string;
  readonly spec: RunSpec | null;
  readonly engine: { readonly kind: string; readonly name: string; readonly reason: string } | null;
  readonly step: number;
  readonly loss: number | null;
  readonly incarnation: number;
  readonly epoch: number;
  readonly members: readonly RosterEntry[];
  /** How this tab reaches each peer. */
  readonly paths: Readonly<Record<string, string>>;
  /** What is known of this tab's links, by peer; a few seconds old. */
  readonly links: Readonly<Record<string, LinkView>>;
  /** Absent before anything was measured. */
  readonly choice?: ChoiceView;
  /** Committed steps, oldest first, thinned to at most 2,000. */
  readonly history: readonly HistoryPoint[];
  readonly lastStep: StepLine | null;
  /** Bytes this tab sent since it joined: counted by hearth, and by the browser's getStats(). */
  readonly bytesSent: number;
  readonly bytesSentByBrowser: number;
  readonly checkpoint: CheckpointView | null;
  /** Where this tab keeps its share of checkpoints; null before it is open. */
  readonly storage: StorageView | null;
  /** The newest sample of the model, where the run makes one. */
  readonly sample: { readonly step: number; readonly text: string } | null;
  /** Newest last, at most 50: joins, losses, rollbacks, storage trouble. */
  readonly log: readonly string[];
  /** Set when the room's data file is nowhere to be had: drop it here. */
  readonly needsFile: string | null;
  /** This tab's device memory, four times a second where it changes; null before there is a device. */
  readonly memory: MemorySummary | null;
  /** That of all members that told of it, this tab included, by peer: a few seconds old. */
  readonly memories: Readonly<Record<string, MemorySummary>>;
}
