/** Tabs that write and collect in one store at the same time, in every order that a seeded scheduler thinks of. */
import { expect, test } from "vitest";
import type { Bytes } from "../../../src/base/bytes.ts";
import type { Clock } from "../../../src/base/clock.ts";
import { Random } from "../../../src/base/random.ts";
import { MemoryStore } from "../../../src/storage/memory/memory-store.ts";
import type { Entry, PutOptions, Store } from "../../../src/storage/store.ts";
import { RUN, StillClock, generation, isWhole, openChunks } from "./generations.ts";

/** Lets one pending operation or timer at a time go on, chosen at random. Its clock moves a little with each. */
class Scheduler implements Clock {
  now = 1_000_000;
  readonly #random: Random;
  readonly #pending: { label: string; go: () => void }[] = [];
  readonly order: string[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  nowMs(): number {
    return this.now;
  }

  wallMs(): number {
    return this.now;
  }

  after(delayMs: number, callback: () => void): () => void {
    let isCancelled = false;
    const go = (): void => {
      this.now += delayMs;
      if (!isCancelled) callback();
    };
    this.#pending.push({ label: `timer ${delayMs}`, go });
    return () => (isCancelled = true);
  }

  turn(label: string): Promise<void> {
    return new Promise((go) => this.#pending.push({ label, go }));
  }

  async play(tasks: readonly Promise<unknown>[]): Promise<void> {
    let isDone = false;
    const all = Promise.allSettled(tasks).then((results) => {
      isDone = true;
      for (const result of results) if (result.status === "rejected") throw result.reason;
    });
    all.catch(() => {});
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (isDone) return all;
      const [next] = this.#pending.splice(this.#random.below(this.#pending.length), 1);
      this.now += 1;
      this.order.push(next?.label ?? "nothing is pending");
      next?.go();
    }
  }
}

/** One tab's view of the shared store: each operation waits for its turn. */
class TurnStore implements Store {
  readonly kind = "memory";
  readonly #inner: Store;
  readonly #scheduler: Scheduler;
  readonly #tab: string;

  constructor(inner: Store, scheduler: Scheduler, tab: string) {
    this.#inner = inner;
    this.#scheduler = scheduler;
    this.#tab = tab;
  }

  async get(key: string): Promise<Bytes | undefined> {
    await this.#scheduler.turn(`${this.#tab} get ${key.slice(0, 12)}`);
    return this.#inner.get(key);
  }

  async put(entries: readonly Entry[], options: PutOptions): Promise<void> {
    await this.#scheduler.turn(`${this.#tab} put ${entries[0]?.key.slice(0, 12)}`);
    await this.#inner.put(entries, options);
  }

  async delete(keys: readonly string[]): Promise<void> {
    await this.#scheduler.turn(`${this.#tab} delete ${keys.length} ${keys[0]?.slice(0, 12)}`);
    await this.#inner.delete(keys);
  }

  async keys(prefix: string): Promise<string[]> {
    await this.#scheduler.turn(`${this.#tab} keys ${prefix}`);
    return this.#inner.keys(prefix);
  }

  close(): void {}
}

const size = { shards: [0], bytes: 64 };
const first = generation(5, size);
const second = generation(10, size);
/** What a tab that died left behind: the pack of the second generation, and no marker. */
const leftovers: Entry[] = [];
{
  const store = new MemoryStore();
  await openChunks(store).writeGeneration(second);
  for (const key of await store.keys("pack/"))
    leftovers.push({ key, value: (await store.get(key)) ?? new Uint8Array() });
}

test("a tab that writes while others collect ends with every chunk its marker names, in 200 orders", async () => {
  const collections = new Set<boolean>();
  for (let seed = 0; seed < 200; seed++) {
    const scheduler = new Scheduler(new Random(seed, "garbage"));
    const store = new MemoryStore();
    await openChunks(store).writeGeneration(first);
    await store.put(leftovers, { durability: "relaxed" });
    const tab = (name: string) => openChunks(new TurnStore(store, scheduler, name), name, scheduler);
    const keep = [{ step: 5, chain: "chain-5" }];
    await scheduler.play([
      tab("writer").writeGeneration(second),
      tab("collector").collect(RUN, keep),
      tab("other").collect(RUN, keep),
    ]);
    const chunks = openChunks(store, "after");
    const found = { seed, first: await isWhole(chunks, first), second: await isWhole(chunks, second) };
    if (!found.first || !found.second) expect.fail(`seed ${seed}:\n${scheduler.order.join("\n")}`);
    const deleted = scheduler.order.findIndex((label) => / delete \d+ pack/.test(label));
    const marked = scheduler.order.findIndex((label) => label.startsWith("writer put marker"));
    collections.add(deleted !== -1 && deleted < marked);
    expect((await store.keys("")).filter((key) => /^(pin|sweep)/.test(key))).toEqual([]);
  }
  // The scheduler found both kinds of order: packs deleted under the writer's eyes, and not.
  expect(collections).toEqual(new Set([true, false]));
});

test("tabs that write one generation together and collect afterwards lose nothing, in 60 orders", async () => {
  for (let seed = 0; seed < 60; seed++) {
    const scheduler = new Scheduler(new Random(seed, "together"));
    const store = new MemoryStore();
    const tabs = ["a", "b", "c"].map((name) => ({
      chunks: openChunks(new TurnStore(store, scheduler, name), name, scheduler),
      parts: [5, 10, 15].map((step) => generation(step, { shards: [0, name.charCodeAt(0)], bytes: 32, writer: name })),
    }));
    await scheduler.play(
      tabs.map(async ({ chunks, parts }) => {
        for (const [index, part] of parts.entries()) {
          await chunks.writeGeneration(part);
          const kept = parts.slice(Math.max(0, index - 1), index + 1);
          await chunks.collect(
            RUN,
            kept.map(({ step, chain }) => ({ step, chain })),
          );
        }
      }),
    );
    const chunks = openChunks(store, "after");
    for (const { parts } of tabs) {
      for (const part of parts.slice(1)) {
        if (!(await isWhole(chunks, part))) expect.fail(`seed ${seed}:\n${scheduler.order.join("\n")}`);
      }
    }
  }
});

test("a collector that was frozen between looking and deleting deletes nothing", async () => {
  const clock = new StillClock();
  const store = new (class extends MemoryStore {
    override async keys(prefix: string): Promise<string[]> {
      const keys = await super.keys(prefix);
      if (prefix === "marker/") clock.now += 15_000;
      return keys;
    }
  })();
  await store.put(leftovers, { durability: "relaxed" });
  await openChunks(store, "frozen", clock).collect(RUN, []);
  expect(await store.keys("pack/")).toHaveLength(1);
});

test("what a tab that died announced stands in nobody's way for long", async () => {
  const clock = new StillClock();
  const store = new MemoryStore();
  const dying = new (class extends MemoryStore {
    override put(entries: readonly Entry[], options: PutOptions): Promise<void> {
      return store.put(entries, options);
    }
    override delete(): Promise<void> {
      return new Promise(() => {});
    }
    override async keys(prefix: string): Promise<string[]> {
      if (prefix === "pin/") return new Promise(() => {});
      return store.keys(prefix);
    }
  })();
  void openChunks(dying, "sweeper", clock).collect(RUN, []);
  void openChunks(dying, "pinner", clock).writeGeneration(first);
  await new Promise((resolve) => setImmediate(resolve));
  expect((await store.keys("")).map((key) => key.split("/")[0])).toEqual(expect.arrayContaining(["pin"]));
  const startMs = clock.now;
  const chunks = openChunks(store, "writer", clock);
  await chunks.writeGeneration(second);
  expect(clock.now - startMs).toBeLessThan(25_000);
  clock.now += 11 * 60_000;
  await chunks.collect(RUN, [{ step: 10, chain: "chain-10" }]);
  expect(await isWhole(chunks, second)).toBe(true);
  expect((await store.keys("")).filter((key) => /^(pin|sweep)/.test(key))).toEqual([]);
});
