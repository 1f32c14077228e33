/**
 * The network of a simulation: sockets to the coordinator, which hold what they cannot deliver, and links between
 * members, which lose it. Each direction can be cut by itself; messages can be late, doubled, or out of order.
 */
import type { World } from "./world.ts";

/** The coordinator's place in the network; the others are devices. */
export const SERVER = "server";

/** How often a socket tries again to deliver what a cut holds back. */
const RETRY_MS = 250;
const LATENCY_MS = [1, 15] as const;

interface Channel {
  readonly queue: (() => void)[];
  lastMs: number;
}

export class SimNetwork {
  /** Chance that a message comes twice, and that it overtakes others of its channel. */
  duplicateChance = 0;
  reorderChance = 0;
  readonly #world: World;
  readonly #cuts = new Map<string, number>();
  readonly #extraMs = new Map<string, number>();
  readonly #channels = new Map<string, Channel>();

  constructor(world: World) {
    this.#world = world;
  }

  get hasCuts(): boolean {
    return this.#cuts.size > 0;
  }

  /** Nothing gets from `from` to `to` for so long. Cuts add up. */
  cut(from: string, to: string, ms: number): void {
    const key = `${from}>${to}`;
    this.#cuts.set(key, (this.#cuts.get(key) ?? 0) + 1);
    this.#world.after(ms, () => {
      const left = (this.#cuts.get(key) ?? 1) - 1;
      if (left > 0) this.#cuts.set(key, left);
      else this.#cuts.delete(key);
    });
  }

  /** Everything that `device` sends takes so much longer. */
  delay(device: string, extraMs: number): void {
    this.#extraMs.set(device, extraMs);
  }

  /** Ends cuts, delays and noise. */
  mend(): void {
    this.#cuts.clear();
    this.#extraMs.clear();
    this.duplicateChance = 0;
    this.reorderChance = 0;
  }

  canSend(from: string, to: string): boolean {
    return !this.#cuts.has(`${from}>${to}`);
  }

  /** A message on a socket: in order, and held while the way is cut. `channel` is one direction of one socket. */
  onSocket(channel: string, from: string, to: string, deliver: () => void): void {
    const state: Channel = this.#channels.get(channel) ?? { queue: [], lastMs: 0 };
    this.#channels.set(channel, state);
    const { queue } = state;
    const isOvertaking = queue.length > 0 && this.#world.chance(this.reorderChance);
    queue.splice(isOvertaking ? this.#world.random.below(queue.length) : queue.length, 0, deliver);
    const copies = this.#world.chance(this.duplicateChance) ? 2 : 1;
    if (copies === 2) queue.push(deliver);
    for (let copy = 0; copy < copies; copy++) {
      state.lastMs = Math.max(state.lastMs + 0.001, this.#world.nowMs + this.#latency(from));
      this.#world.after(state.lastMs - this.#world.nowMs, () => this.#pump(state, from, to));
    }
  }

  /** A frame on a link: lost where the way is cut when it arrives. */
  onLink(from: string, to: string, deliver: () => void): void {
    const copies = this.#world.chance(this.duplicateChance) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const lateMs = this.#world.chance(this.reorderChance) ? this.#world.between(0, 500) : 0;
      this.#world.after(this.#latency(from) + lateMs, () => {
        if (this.canSend(from, to)) deliver();
      });
    }
  }

  #latency(from: string): number {
    return this.#world.between(...LATENCY_MS) + (this.#extraMs.get(from) ?? 0);
  }

  #pump(state: Channel, from: string, to: string): void {
    if (this.canSend(from, to)) state.queue.shift()?.();
    else this.#world.after(RETRY_MS, () => this.#pump(state, from, to));
  }
}
