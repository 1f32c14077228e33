/** A hand-played cluster: the real coordinator, and members that say what the test makes them say. */
import {
  PROTOCOL_VERSION,
  type ClientMessage,
  type Fingerprint,
  type ServerMessage,
} from "../../../src/network/wire/messages.ts";
import { SHARDS, type Inventory, type StateLayout } from "../../../src/network/wire/state-record.ts";
import type { RunLine } from "../../../src/network/wire/run-line.ts";
import type { RunSpec } from "../../../src/network/wire/run-spec.ts";
import type { LinkFigure } from "../../../src/network/wire/link-levels.ts";
import type { PathKind } from "../../../src/network/transport/transport.ts";
import {
  DEFAULT_LIMITS,
  type Effect,
  type Event,
  type Limits,
  type LogRecord,
} from "../../../src/training/coordinator/protocol.ts";
import { initialState, replay, type State } from "../../../src/training/coordinator/state.ts";
import { transition } from "../../../src/training/coordinator/transition.ts";
import { GENESIS, optimizerName, parameterName, simVersion } from "../../../tools/simulation/versions.ts";

export const NO_BYTES = { gradients: 0, parameters: 0, optimizerReplica: 0, checkpoint: 0, join: 0, control: 0 };

/** The wall's time when a script begins. */
export const WALL_MS = 1_700_000_000_000;

export const EMPTY: Inventory = { parameterRoots: [], optimizer: [], stored: [] };

/** Everything a member holds after `step` right updates, of all shards. */
export function inventoryAt(step: number): Inventory {
  const parameters = Array.from({ length: SHARDS }, (_, shard) => parameterName(shard, `d${step}`));
  const version = simVersion(step, parameters, new Map());
  return {
    parameterRoots: [version.parameterRoot],
    optimizer: parameters.map((_, shard) => [shard, optimizerName(shard, `d${step}`)] as const),
    stored: [],
  };
}

export class Script {
  state: State;
  readonly log: LogRecord[];
  readonly sent: { conn: string; message: ServerMessage }[] = [];
  nowMs = 0;

  readonly #limits: Limits;

  constructor(spec: Partial<RunSpec> = {}, log?: LogRecord[], limits: Partial<Limits> = {}, wallMs: number = WALL_MS) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    const full: RunSpec = {
      run: "r",
      seed: 1,
      steps: 100,
      checkpointEvery: 5,
      startWith: 1,
      data: null,
      settings: {},
      ...spec,
    };
    this.log = log ?? [{ kind: "room", room: "room", spec: full }];
    this.state = this.log.reduce(replay, initialState());
    this.feed({ kind: "start", wallMs });
  }

  /** The same log in a new process, whose own clock begins anew, when the wall's says so. */
  restarted(wallMs: number = WALL_MS + this.nowMs): Script {
    return new Script({}, [...this.log], this.#limits, wallMs);
  }

  feed(event: Event): Effect[] {
    const { state, effects } = transition(this.state, event, this.nowMs, this.#limits);
    this.state = state;
    for (const effect of effects) {
      if (effect.kind === "append") this.log.push(effect.record);
      if (effect.kind === "send") this.sent.push(effect);
    }
    return [...effects];
  }

  say(peer: string, message: ClientMessage): Effect[] {
    return this.feed({ kind: "message", conn: `conn-${peer}`, message });
  }

  /** Time goes by in ticks, everybody in `beating` alive. */
  pass(ms: number, beating: readonly string[]): void {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs;) {
      this.nowMs = Math.min(endMs, this.nowMs + 250);
      for (const peer of beating) this.say(peer, { kind: "heartbeat" });
      this.feed({ kind: "tick" });
    }
  }

  /** hello and join. */
  join(peer: string, inventory: Inventory = EMPTY, device = `device-${peer}`, layout?: StateLayout): void {
    const info = { peer, device, engine: "test" };
    this.say(peer, { kind: "hello", protocol: PROTOCOL_VERSION, room: "room", role: "member", info });
    this.joined(peer, inventory, layout);
  }

  /** A join of one that is connected, and maybe said that it goes. */
  joined(peer: string, inventory: Inventory = EMPTY, layout?: StateLayout, isLeaving = false): void {
    const genesis = { parameters: GENESIS.parameters, optimizer: [...GENESIS.optimizer.values()] };
    this.say(peer, {
      kind: "join",
      engine: "test",
      slots: 8,
      slotsPerSecond: 1,
      inventory,
      genesis,
      ...(layout ? { layout } : {}),
      ...(isLeaving ? { leaving: true } : {}),
    });
  }

  ready(peer: string, step: number, inventory: Inventory = inventoryAt(step)): void {
    const { incarnation, epoch } = this.state.durable;
    this.say(peer, { kind: "ready", incarnation, epoch, inventory });
  }

  /** A vote for the running step; `label` names what the member says it holds. */
  vote(
    peer: string,
    change: {
      label?: string;
      incarnation?: number;
      epoch?: number;
      optimizerLabel?: string;
      paths?: Record<string, PathKind>;
      computeMs?: number;
      fingerprints?: readonly (readonly [number, Fingerprint | null])[];
      links?: readonly LinkFigure[];
    } = {},
  ): Effect[] {
    const { epoch, durable, phase } = this.state;
    const step = phase.kind === "stepping" ? phase.step : (durable.record?.step ?? 0) + 1;
    const label = change.label ?? `d${step}`;
    const rank = epoch?.members.findIndex((member) => member.peer === peer) ?? -1;
    const owned = (shard: number): boolean => epoch?.map.owner[shard] === rank;
    const kept = (shard: number): boolean => owned(shard) || epoch?.map.replica[shard] === rank;
    const shards = Array.from({ length: SHARDS }, (_, shard) => shard);
    const all = shards.map((shard) => parameterName(shard, label));
    return this.say(peer, {
      kind: "vote",
      incarnation: change.incarnation ?? durable.incarnation,
      epoch: change.epoch ?? durable.epoch,
      step,
      parameterRoot: simVersion(step, all, new Map()).parameterRoot,
      parameters: shards.filter(owned).map((shard) => [shard, all[shard] ?? ""] as const),
      optimizer: shards
        .filter(kept)
        .map((shard) => [shard, optimizerName(shard, change.optimizerLabel ?? label)] as const),
      losses: [],
      ...(change.fingerprints ? { fingerprints: change.fingerprints } : {}),
      times: { compute: change.computeMs ?? 100, network: 1, waiting: 1 },
      bytesSent: NO_BYTES,
      paths: change.paths ?? {},
      ...(change.links ? { links: change.links } : {}),
    });
  }

  get committedStep(): number {
    return this.state.durable.record?.step ?? -1;
  }

  get members(): string[] {
    return this.state.epoch?.members.map((member) => member.peer) ?? [];
  }

  lines<T extends RunLine["type"]>(type: T): Extract<RunLine, { type: T }>[] {
    const seen = new Set<RunLine>();
    for (const { message } of this.sent)
      if (message.kind === "event" && message.line.type === type) seen.add(message.line);
    return [...seen] as Extract<RunLine, { type: T }>[];
  }

  lastTo(peer: string, kind: ServerMessage["kind"]): ServerMessage | undefined {
    return this.sent.filter(({ conn, message }) => conn === `conn-${peer}` && message.kind === kind).at(-1)?.message;
  }
}
