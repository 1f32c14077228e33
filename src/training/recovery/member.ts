/**
 * A member's side of the protocol: one pure step, like the coordinator's.
 *
 * It tracks two versions of the state by name: the committed one, and at most one pending (voted for, in doubt). The
 * runner holds their bytes. Invariants:
 * - a pending version becomes the committed one only by a COMMIT that names its parameters, step and epoch;
 * - it is given up only by an epoch's record (what the log says), never by a deadline or a lost connection;
 * - whatever was started under a fence is cancelled before anything of a newer one starts.
 */
import type { Hash } from "../../base/hash.ts";
import type { CheckpointOrder, Inventory } from "../../network/wire/state-record.ts";
import type { ClientMessage, ServerMessage } from "../../network/wire/messages.ts";
import type { Recovery } from "../../network/wire/run-line.ts";
import type { PeerId } from "../../network/transport/transport.ts";
import type { LinkFigure } from "../../network/wire/link-levels.ts";

export type EpochMessage = Extract<ServerMessage, { kind: "epoch" }>;
export type PlanMessage = Extract<ServerMessage, { kind: "plan" }>;
export type ReduceMessage = Extract<ServerMessage, { kind: "reduce" }>;
export type CommitMessage = Extract<ServerMessage, { kind: "commit" }>;
export type VoteMessage = Extract<ClientMessage, { kind: "vote" }>;

/** What tells this epoch's messages from all others. */
export interface Fence {
  readonly incarnation: number;
  readonly epoch: number;
}

/** A committed version by name. */
export interface VersionName {
  readonly step: number;
  readonly chain: Hash;
  readonly parameterRoot: Hash;
}

/** A version voted for: its chain is not known before COMMIT. */
export interface PendingName {
  readonly fence: Fence;
  readonly step: number;
  readonly parameterRoot: Hash;
}

export interface MemberState {
  readonly epoch: EpochMessage | null;
  /** Null before the first sync, and for a listener before its first COMMIT. */
  readonly committed: VersionName | null;
  readonly pending: PendingName | null;
  readonly activity: "idle" | "syncing" | "stepping" | "voted";
  /** What this epoch's plans said last of its links, as text: programs are chosen by it. */
  readonly links: string | null;
}

export type MemberEvent =
  | { readonly kind: "server"; readonly message: ServerMessage }
  /** The socket to the coordinator is gone; another will come. */
  | { readonly kind: "disconnected" }
  | {
      readonly kind: "synced";
      readonly fence: Fence;
      readonly inventory: Inventory;
      readonly recovered?: readonly Recovery[];
      readonly links?: readonly LinkFigure[];
    }
  /** In a step with backups: the slots planned for `rank` are computed here. */
  | { readonly kind: "computed"; readonly fence: Fence; readonly step: number; readonly rank: number }
  | { readonly kind: "stepped"; readonly fence: Fence; readonly vote: VoteMessage }
  | {
      readonly kind: "workFailed";
      readonly fence: Fence;
      readonly reason: string;
      readonly unreachable: readonly PeerId[];
      readonly missing: readonly Hash[];
      /** A slot whose loss is not finite here. */
      readonly slot?: number;
    };

/** What the runner must do, in order. */
export type MemberEffect =
  /** Stop the sync or step under way; its late results carry an old fence. */
  | { readonly kind: "cancel"; readonly reason: string }
  /** Link up, gather the record's bytes by hash (from own versions, disk, peers), make them the committed version, drop the pending one: all or nothing. */
  | { readonly kind: "sync"; readonly epoch: EpochMessage }
  /** Programs are chosen by `links`; as is usual where it is null. */
  | { readonly kind: "step"; readonly plan: PlanMessage; readonly epoch: EpochMessage; readonly links: string | null }
  /** The step under way has a copy of every slot: which ones count. */
  | { readonly kind: "reduce"; readonly order: ReduceMessage }
  /** The pending version is the committed one now. */
  | { readonly kind: "promote"; readonly name: VersionName }
  /** Read the committed parameters back from the device, and tell their digest. */
  | { readonly kind: "digest"; readonly name: VersionName }
  /** Write the shards that the order gives this rank. */
  | {
      readonly kind: "checkpoint";
      readonly name: VersionName;
      readonly order: CheckpointOrder;
      readonly epoch: EpochMessage;
    }
  | { readonly kind: "send"; readonly message: ClientMessage }
  /** The coordinator and this member disagree in a way that only a fresh start mends. */
  | { readonly kind: "reconnect"; readonly reason: string };

export interface MemberStep {
  readonly state: MemberState;
  readonly effects: readonly MemberEffect[];
}

export const INITIAL_MEMBER: MemberState = {
  epoch: null,
  committed: null,
  pending: null,
  activity: "idle",
  links: null,
};

/** One event into a member. */
export function memberStep(state: MemberState, event: MemberEvent): MemberStep {
  switch (event.kind) {
    case "server":
      return onServer(state, event.message);
    case "disconnected":
      return cancelled(state, "the connection to the server closed", { ...state, epoch: null, activity: "idle" }, []);
    case "synced":
      return onSynced(state, event);
    case "computed":
      return onComputed(state, event);
    case "stepped":
      return onStepped(state, event.fence, event.vote);
    case "workFailed":
      return onFailed(state, event);
    default:
      event satisfies never;
      return { state, effects: [] };
  }
}

/** True while `fence` is the one at hand. */
export function isAtFence(state: MemberState, fence: Fence): boolean {
  return state.epoch?.incarnation === fence.incarnation && state.epoch.epoch === fence.epoch;
}

function onServer(state: MemberState, message: ServerMessage): MemberStep {
  switch (message.kind) {
    case "epoch":
      if (state.epoch && !isNewer(message, state.epoch)) return { state, effects: [] };
      return cancelled(
        state,
        `epoch ${message.epoch} began`,
        { ...state, epoch: message, activity: "syncing", links: null },
        [{ kind: "sync", epoch: message }],
      );
    case "plan":
      return onPlan(state, message);
    case "reduce":
      if (state.activity !== "stepping" || !isAtFence(state, message) || message.step !== nextStep(state))
        return { state, effects: [] };
      return { state, effects: [{ kind: "reduce", order: message }] };
    case "commit":
      return onCommit(state, message);
    case "finish":
      if (state.committed?.chain !== message.chain) return { state, effects: [] };
      return { state, effects: [{ kind: "digest", name: state.committed }] };
    default:
      return { state, effects: [] };
  }
}

function onSynced(state: MemberState, event: Extract<MemberEvent, { kind: "synced" }>): MemberStep {
  const { fence, inventory, recovered = [], links = [] } = event;
  const { epoch } = state;
  if (!epoch || !isAtFence(state, fence) || state.activity !== "syncing") return { state, effects: [] };
  const { step, chain, parameterRoot } = epoch.record;
  const isFull = inventory.parameterRoots.includes(parameterRoot);
  const told = { ...(recovered.length > 0 ? { recovered } : {}), ...(links.length > 0 ? { links } : {}) };
  const ready: ClientMessage = {
    kind: "ready",
    incarnation: fence.incarnation,
    epoch: fence.epoch,
    inventory,
    ...told,
  };
  return {
    state: {
      ...state,
      committed: isFull ? { step, chain, parameterRoot } : null,
      pending: null,
      activity: "idle",
    },
    effects: [{ kind: "send", message: ready }],
  };
}

function onPlan(state: MemberState, plan: PlanMessage): MemberStep {
  const { epoch } = state;
  if (!epoch || !isAtFence(state, plan) || state.activity !== "idle") return { state, effects: [] };
  if (plan.step !== nextStep(state)) {
    const reason = `planned step ${plan.step} where ${nextStep(state)} comes next`;
    return { state, effects: [{ kind: "reconnect", reason }] };
  }
  const links = plan.links ?? state.links;
  return { state: { ...state, activity: "stepping", links }, effects: [{ kind: "step", plan, epoch, links }] };
}

/** The step after the one committed; of a listener, after the epoch's record. */
function nextStep({ committed, epoch }: MemberState): number {
  return (committed?.step ?? epoch?.record.step ?? 0) + 1;
}

function onComputed(state: MemberState, event: Extract<MemberEvent, { kind: "computed" }>): MemberStep {
  const { fence, step, rank } = event;
  if (!isAtFence(state, fence) || state.activity !== "stepping") return { state, effects: [] };
  return { state, effects: [{ kind: "send", message: { kind: "computed", ...pick(fence), step, rank } }] };
}

function onStepped(state: MemberState, fence: Fence, vote: VoteMessage): MemberStep {
  if (!state.epoch || !isAtFence(state, fence) || state.activity !== "stepping") return { state, effects: [] };
  const pending: PendingName = { fence, step: vote.step, parameterRoot: vote.parameterRoot };
  return { state: { ...state, pending, activity: "voted" }, effects: [{ kind: "send", message: vote }] };
}

function onCommit(state: MemberState, commit: CommitMessage): MemberStep {
  const { epoch, pending } = state;
  if (!epoch || !isAtFence(state, commit)) return { state, effects: [] };
  const isMine =
    state.activity === "voted" && pending?.step === commit.step && pending.parameterRoot === commit.parameterRoot;
  if (!isMine)
    return { state, effects: [{ kind: "reconnect", reason: `step ${commit.step} committed without this tab` }] };
  const name: VersionName = { step: commit.step, chain: commit.chain, parameterRoot: commit.parameterRoot };
  const effects: MemberEffect[] = [{ kind: "promote", name }];
  if (commit.checkpoint) {
    effects.push({ kind: "digest", name }, { kind: "checkpoint", name, order: commit.checkpoint, epoch });
  }
  return { state: { ...state, committed: name, pending: null, activity: "idle" }, effects };
}

function onFailed(state: MemberState, event: Extract<MemberEvent, { kind: "workFailed" }>): MemberStep {
  const isWorking = state.activity === "syncing" || state.activity === "stepping";
  if (!isWorking || !isAtFence(state, event.fence)) return { state, effects: [] };
  const { reason, unreachable, missing } = event;
  const slot = event.slot === undefined ? {} : { slot: event.slot };
  const message: ClientMessage = { kind: "failed", ...pick(event.fence), reason, unreachable, missing, ...slot };
  return { state: { ...state, activity: "idle" }, effects: [{ kind: "send", message }] };
}

function cancelled(
  before: MemberState,
  reason: string,
  state: MemberState,
  effects: readonly MemberEffect[],
): MemberStep {
  const isWorking = before.epoch !== null;
  return { state, effects: isWorking ? [{ kind: "cancel", reason }, ...effects] : effects };
}

/** Epochs and incarnations only grow: a late announcement of an older one must not win. */
function isNewer(a: Fence, b: Fence): boolean {
  return a.incarnation > b.incarnation || (a.incarnation === b.incarnation && a.epoch > b.epoch);
}

function pick({ incarnation, epoch }: Fence): Fence {
  return { incarnation, epoch };
}
