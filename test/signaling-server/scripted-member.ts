/**
 * A member that trains nothing and says what one that trains would: alone in its room, through a real socket, again and
 * again when the server goes away. Its bytes are names: shard and step.
 */
import { WebSocket } from "ws";
import { hashList, type Hash } from "../../src/base/hash.ts";
import type { ClientMessage, ServerMessage } from "../../src/network/wire/messages.ts";
import { type Inventory, SHARDS } from "../../src/network/wire/state-record.ts";
import { fakeHash, hello } from "./samples.ts";

const NO_BYTES = { gradients: 0, parameters: 0, optimizerReplica: 0, checkpoint: 0, join: 0, control: 0 };
const RETRY_MS = 50;

export class ScriptedMember {
  /** Commits it heard of: step -> chain. */
  readonly commits: Map<number, Hash> = new Map<number, Hash>();
  readonly incarnations: Set<number> = new Set<number>();
  readonly refusals: string[] = [];
  /** Called at each commit that it hears of. */
  onCommit: (step: number) => void = () => {};
  #voted = 0;
  #port: number;
  readonly #room: string;
  #socket: WebSocket | null = null;
  #isClosed = false;

  constructor(port: number, room: string) {
    this.#port = port;
    this.#room = room;
  }

  connect(): void {
    const socket = new WebSocket(`ws://localhost:${this.#port}/coordinator`);
    this.#socket = socket;
    socket.on("open", () => this.#say(hello(this.#room)));
    socket.on("message", (data: Buffer) => this.#hear(JSON.parse(data.toString()) as ServerMessage));
    socket.on("error", () => {});
    socket.on("close", () => {
      if (!this.#isClosed) setTimeout(() => this.connect(), RETRY_MS);
    });
  }

  /** To another server, with what it holds. */
  moveTo(port: number): void {
    this.#port = port;
    this.#socket?.terminate();
  }

  close(): void {
    this.#isClosed = true;
    this.#socket?.terminate();
  }

  #say(message: ClientMessage): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #hear(message: ServerMessage): void {
    switch (message.kind) {
      case "welcome":
        this.incarnations.add(message.incarnation);
        this.#say({
          kind: "join",
          engine: "reference: CPU",
          slots: 8,
          slotsPerSecond: 100,
          inventory: this.#inventory(),
          genesis: { parameters: parametersAt(0), optimizer: optimizerAt(0).map(([, hash]) => hash) },
        });
        break;
      case "epoch": {
        const { incarnation, epoch } = message;
        this.#say({ kind: "ready", incarnation, epoch, inventory: inventoryAt([message.record.step]) });
        break;
      }
      case "plan":
        this.#vote(message.incarnation, message.epoch, message.step);
        break;
      case "commit":
        this.commits.set(message.step, message.chain);
        if (message.checkpoint) this.#store(message.step, message.chain);
        this.onCommit(message.step);
        break;
      case "finish":
        this.#tellDigest(message.step, message.chain);
        break;
      case "refused":
        this.refusals.push(message.reason);
    }
  }

  /** The last state it heard the verdict of, and the one it voted for, which may be committed without its knowing. */
  #inventory(): Inventory {
    return inventoryAt([...new Set([Math.max(0, ...this.commits.keys()), this.#voted])]);
  }

  #vote(incarnation: number, epoch: number, step: number): void {
    this.#voted = step;
    const parameters = parametersAt(step);
    this.#say({
      kind: "vote",
      incarnation,
      epoch,
      step,
      parameterRoot: hashList("parameters", parameters),
      parameters: parameters.map((hash, shard) => [shard, hash] as const),
      optimizer: optimizerAt(step),
      losses: Array.from({ length: 8 }, (_, slot) => [slot, 1 / step] as const),
      times: { compute: 1, network: 1, waiting: 1 },
      bytesSent: NO_BYTES,
      paths: {},
    });
  }

  #store(step: number, chain: Hash): void {
    const shards = Array.from({ length: SHARDS }, (_, shard) => shard);
    this.#say({ kind: "stored", step, chain, shards, error: null, ms: 1 });
    this.#tellDigest(step, chain);
  }

  #tellDigest(step: number, chain: Hash): void {
    this.#say({ kind: "digest", step, chain, digest: fakeHash(`digest ${step}`) });
  }
}

function parametersAt(step: number): Hash[] {
  return Array.from({ length: SHARDS }, (_, shard) => fakeHash(`parameters ${shard} ${step}`));
}

function optimizerAt(step: number): [number, Hash][] {
  return Array.from({ length: SHARDS }, (_, shard) => [shard, fakeHash(`optimizer ${shard} ${step}`)]);
}

function inventoryAt(steps: readonly number[]): Inventory {
  return {
    parameterRoots: steps.map((step) => hashList("parameters", parametersAt(step))),
    optimizer: steps.flatMap(optimizerAt),
    stored: [],
  };
}
