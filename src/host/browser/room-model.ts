/** Folds what the coordinator and the engine say into the RoomView that pages draw. */
import type { HistoryPoint, MemberMemory, RosterEntry, ServerMessage } from "../../network/wire/messages.ts";
import type { RunLine } from "../../network/wire/run-line.ts";
import { peerName } from "./elements/peer-name.ts";
import type { Phase, RoomView } from "./room-view.ts";

const HISTORY_MAX = 2_000;
const LOG_MAX = 50;

/** The view before anything is known. */
export function initialView(self: string): RoomView {
  return {
    phase: "connecting",
    note: "Connecting to the server.",
    problem: null,
    self,
    spec: null,
    engine: null,
    step: 0,
    loss: null,
    incarnation: 0,
    epoch: 0,
    members: [],
    paths: {},
    links: {},
    history: [],
    lastStep: null,
    bytesSent: 0,
    bytesSentByBrowser: 0,
    checkpoint: null,
    storage: null,
    sample: null,
    log: [],
    needsFile: null,
    memory: null,
    memories: {},
  };
}

/**
 * The view after a message of the coordinator. `isPrepared`: this tab has data, model and kernels. A paused tab stays
 * paused, whatever the others do, until its person resumes it, the run ends or the server refuses it.
 */
export function viewAfter(view: RoomView, message: ServerMessage, isPrepared: boolean): RoomView {
  const next = folded(view, message, isPrepared);
  const isOver = next.phase === "finished" || next.phase === "stopped";
  return view.phase === "paused" && !isOver ? phase(next, "paused", view.note) : next;
}

function folded(view: RoomView, message: ServerMessage, isPrepared: boolean): RoomView {
  switch (message.kind) {
    case "welcome": {
      const { spec, incarnation, step, history } = message;
      const loss = history.at(-1)?.loss ?? view.loss;
      const next = { ...view, spec, incarnation, step, loss, history: thinned(history) };
      return isPrepared
        ? phase(next, "waiting", "Connected; waiting for the next step.")
        : phase(next, "preparing", "Preparing.");
    }
    case "refused":
      return { ...phase(view, "stopped", message.reason), problem: message.reason };
    case "epoch":
      return {
        ...phase(view, "syncing", `Joining epoch ${message.epoch} with ${message.members.length} members.`),
        incarnation: message.incarnation,
        epoch: message.epoch,
      };
    case "plan":
      return phase(view, "training", `Training step ${message.step}.`);
    case "commit":
      return { ...view, step: message.step, loss: message.loss };
    case "waiting":
      return !isPrepared ? view : phase(view, "waiting", message.reason);
    case "finish":
      return phase(view, "finished", `Done: ${message.step} steps.`);
    case "roster":
      return { ...view, members: message.members, memories: memoriesOf(view, message.members) };
    case "network": // For the engine, as are the next.
    case "reduce":
    case "released":
      return view;
    case "memories":
      return { ...view, memories: withMemories(view, message.members) };
    case "event":
      return viewAfterLine(view, message.line);
  }
}

/** The view in another phase. */
export function phase(view: RoomView, name: Phase, note: string): RoomView {
  return { ...view, phase: name, note };
}

/** The view with one more line of the event log. */
export function logged(view: RoomView, text: string): RoomView {
  return { ...view, log: [...view.log, text].slice(-LOG_MAX) };
}

function viewAfterLine(view: RoomView, line: RunLine): RoomView {
  switch (line.type) {
    case "step": {
      if (view.lastStep?.chain === line.chain) return view;
      const { step, loss, incarnation } = line;
      const history = thinned([...view.history.filter((point) => point.step < step), { step, loss }]);
      return { ...view, step, loss, incarnation, history, lastStep: line };
    }
    case "member":
      return logged(
        view,
        `Step ${line.step}: ${peerName(line.peer)} ${MEMBER_WORDS[line.event]}${line.reason ? ` (${line.reason})` : ""}.`,
      );
    case "abort":
      return logged(view, `Step ${line.step} is done again: ${line.reason}.`);
    case "rollback":
      return logged(
        { ...view, step: line.to, history: view.history.filter((point) => point.step <= line.to) },
        `Back to the checkpoint of step ${line.to}.`,
      );
    case "recovery":
      return logged(view, recoveryText(line));
    case "straggler":
      return logged(
        view,
        `Step ${line.step}: ${peerName(line.peer)} ${STRAGGLER_WORDS[line.action]} (${line.reason}).`,
      );
    case "checkpoint": {
      const failures = Object.values(line.errors ?? {});
      const next = failures.length > 0 ? logged(view, `Checkpoint ${line.step}: ${failures[0]}`) : view;
      if (line.copies === 0) return logged(next, `Checkpoint ${line.step} is not whole: nothing was kept of it.`);
      const { step, generation, copies, ms, scheme = null, lossChance = null } = line;
      return { ...next, checkpoint: { step, generation, copies, ms, scheme, lossChance } };
    }
    case "end":
      return logged(view, `The run ended at step ${line.steps}.`);
    case "waiting":
      return logged(view, line.reason);
    case "decision":
      return logged(view, named(line.text, line.peers));
    case "fault":
      return logged(view, `Fault: ${line.kind}.`);
  }
}

/** `text` with the names that people know for the ids in it. */
function named(text: string, peers: readonly string[]): string {
  return peers.reduce((named, peer) => named.replaceAll(peer, peerName(peer)), text);
}

function withMemories(view: RoomView, members: readonly MemberMemory[]): RoomView["memories"] {
  return { ...view.memories, ...Object.fromEntries(members.map(({ peer, memory }) => [peer, memory])) };
}

/** The memories of those that are still here. */
function memoriesOf({ memories }: RoomView, members: readonly RosterEntry[]): RoomView["memories"] {
  return Object.fromEntries(members.flatMap(({ peer }) => (memories[peer] ? [[peer, memories[peer]]] : [])));
}

const SOURCE_WORDS = { memory: "memory", disk: "its disk", peers: "other members", parity: "parity" } as const;

function recoveryText({ peer, step, sources }: Extract<RunLine, { type: "recovery" }>): string {
  const parts = sources.map(
    ({ source, shards, ms }) => `${shards} shards from ${SOURCE_WORDS[source]} in ${Math.round(ms)} ms`,
  );
  return `Step ${step}: ${peerName(peer)} got ${parts.join(", ")}.`;
}

const STRAGGLER_WORDS = {
  less: "gets fewer slots",
  backup: "gets a backup",
  dropped: "is left out for a while",
} as const;
const MEMBER_WORDS = { join: "joined", leave: "left", lost: "was lost" } as const;

/** At most HISTORY_MAX points: every other one goes, the newest stays. */
function thinned(history: readonly HistoryPoint[]): readonly HistoryPoint[] {
  if (history.length <= HISTORY_MAX) return history;
  return history.filter((_, index) => (history.length - 1 - index) % 2 === 0);
}
