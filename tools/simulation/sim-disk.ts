/** A device's disk in a simulation: chunks by content, markers, and what goes wrong with them. It outlives its tabs. */
import type { Hash } from "../../src/base/hash.ts";
import type { StoredGeneration } from "../../src/network/wire/state-record.ts";
import type { World } from "./world.ts";

/** What the next write meets. */
export type WriteFault = "full" | "torn" | null;

export class SimDisk {
  readonly device: string;
  generations: StoredGeneration[] = [];
  /** Writes are refused until this moment. */
  fullUntilMs = 0;
  /** The next write stops in its middle. */
  isTearing = false;
  /** True once a fault took bytes: what it was asked to keep may be gone. */
  isDamaged = false;
  /** Chance that what this device computes of a slot is wrong: its driver outlives its tabs. */
  wrongness = 0;
  /** A planted bug: bytes are believed without looking at their hash. */
  isTrusting = false;
  /** What the markers name, by chain. */
  readonly #named = new Map<Hash, readonly Hash[]>();
  readonly #chunks = new Map<Hash, "whole" | "spoiled">();

  constructor(device: string) {
    this.device = device;
  }

  /** The content found under `hash`, verified: a chunk that is something else is deleted. */
  read(hash: Hash): Hash | undefined {
    const state = this.#chunks.get(hash);
    if (state === "spoiled" && this.isTrusting) return `${hash.slice(0, hash.indexOf("-"))}-bad(rotten)`;
    if (state === "spoiled") this.#chunks.delete(hash);
    return state === "whole" ? hash : undefined;
  }

  /** True when the chunk is there and right. Changes nothing. */
  holds(hash: Hash): boolean {
    return this.#chunks.get(hash) === "whole";
  }

  /** Chunks first, then the marker; a torn write leaves chunks without one. */
  write(generation: StoredGeneration, hashes: readonly Hash[], world: World): WriteFault {
    if (world.nowMs < this.fullUntilMs) return "full";
    if (this.isTearing) {
      this.isTearing = false;
      this.isDamaged = true;
      for (const hash of hashes.slice(0, world.random.below(hashes.length + 1))) {
        if (!this.#chunks.has(hash)) this.#chunks.set(hash, world.chance(0.5) ? "whole" : "spoiled");
      }
      return "torn";
    }
    // A chunk that is there is read before it is relied on.
    for (const hash of hashes) if (this.read(hash) === undefined || !this.isTrusting) this.#chunks.set(hash, "whole");
    this.generations = [generation, ...this.generations.filter(({ chain }) => chain !== generation.chain)];
    this.#named.set(generation.chain, hashes);
    return null;
  }

  /** Keeps the generations named, and the chunks that they name. */
  collect(isKept: (generation: StoredGeneration) => boolean): void {
    this.generations = this.generations.filter(isKept);
    const named = new Set(this.generations.flatMap(({ chain }) => this.#named.get(chain) ?? []));
    for (const hash of this.#chunks.keys()) if (!named.has(hash)) this.#chunks.delete(hash);
  }

  /** The browser takes everything back. */
  evict(): void {
    this.isDamaged = true;
    this.#chunks.clear();
    this.#named.clear();
    this.generations = [];
  }

  /** One chunk rots. */
  flip(world: World): void {
    const hashes = [...this.#chunks.keys()];
    if (hashes.length === 0) return;
    this.isDamaged = true;
    this.#chunks.set(world.random.pick(hashes), "spoiled");
  }
}
