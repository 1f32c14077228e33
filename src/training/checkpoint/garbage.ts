/**
 * Which packs may go, while other tabs of this browser write to the same storage.
 *
 * A pack is alive when a marker names it. A writer puts packs before its marker, and leaves out those that are there
 * already; a collector that looks in between would take both kinds for garbage. The storage has no locks, so both sides
 * announce themselves before they look (Dekker's rule: whoever comes second sees the first):
 * - a writer puts a *pin* that names all its packs, then waits until no sweep is announced, then looks what is there;
 *   its marker comes before the pin goes.
 * - a collector puts a *sweep*, then reads pins and then markers, then deletes what neither names, then ends the sweep.
 *
 * So either the collector sees the pin, or the writer sees the sweep and looks after its deletions. Tabs die and freeze:
 * a sweep counts for 20 s, and a collector that took longer than 10 s gives up instead of deleting; a pin counts for
 * 10 minutes, far beyond a write's deadlines. A device whose clock jumps meanwhile may lose packs of one generation:
 * they are missed when the marker is read, and two other devices hold them.
 */
import * as v from "valibot";
import { DeadlineError, QuotaError } from "../../base/errors.ts";
import type { Clock } from "../../base/clock.ts";
import type { Hash } from "../../base/hash.ts";
import { sleep } from "../../base/wait.ts";
import type { Store } from "../../storage/store.ts";
import { MARKERS, decodeMarker, seal, unseal } from "./marker.ts";

export const PACKS = "pack/";
const PINS = "pin/";
const SWEEPS = "sweep/";

const PIN_MS = 10 * 60_000;
const SWEEP_MS = 20_000;
const SWEEP_WORK_MS_MAX = 10_000;
const LOOK_AGAIN_MS = 50;

const pinned = v.object({ wallMs: v.number(), packs: v.array(v.string()) });
const sweeping = v.object({ wallMs: v.number() });

export function packKey(name: Hash): string {
  return PACKS + name;
}

/** Announces a writer that will name `packs`, and waits for collectors to finish. Ends with `unpin`. `id` is this tab's alone. */
export async function pin(store: Store, clock: Clock, id: string, packs: readonly Hash[]): Promise<void> {
  const value = seal({ wallMs: clock.wallMs(), packs });
  await store.put([{ key: PINS + id, value }], { durability: "relaxed" });
  // Sweeps that begin later see the pin, so waiting for those that are there now would do; waiting for none is simpler.
  const endMs = clock.nowMs() + 2 * SWEEP_MS;
  while (await isSweeping(store, clock)) {
    if (clock.nowMs() > endMs) {
      throw new DeadlineError(`pin: expected collectors to end within ${2 * SWEEP_MS} ms, found one still at it`);
    }
    await sleep(LOOK_AGAIN_MS, clock);
  }
}

export async function unpin(store: Store, id: string): Promise<void> {
  await store.delete([PINS + id]);
}

/** Deletes packs that no marker of any run and no pin names; returns those that stay. `id` is this tab's alone. */
export async function sweep(store: Store, clock: Clock, id: string): Promise<ReadonlySet<Hash>> {
  const startMs = clock.wallMs();
  const key = SWEEPS + id;
  const announcement = { key, value: seal({ wallMs: startMs }) };
  await store.put([announcement], { durability: "relaxed" }).catch((error: unknown) => {
    // A full disk, the very moment to make room. It refuses pins just as well, so no writer begins meanwhile.
    if (!(error instanceof QuotaError)) throw error;
  });
  try {
    const packs = await store.keys(PACKS);
    const alive = await named(store, clock);
    const dead = alive === "unknown" ? [] : packs.filter((pack) => !alive.has(pack.slice(PACKS.length)));
    const isLate = Math.abs(clock.wallMs() - startMs) > SWEEP_WORK_MS_MAX;
    const deleted = isLate ? [] : dead;
    if (deleted.length > 0) await store.delete(deleted);
    const gone = new Set(deleted);
    return new Set(packs.filter((pack) => !gone.has(pack)).map((pack) => pack.slice(PACKS.length)));
  } finally {
    await store.delete([key]);
  }
}

/** Packs that pins, then markers name; "unknown" when another version's marker may name any. */
async function named(store: Store, clock: Clock): Promise<ReadonlySet<Hash> | "unknown"> {
  const packs = new Set<Hash>();
  for (const key of await store.keys(PINS)) {
    const found = await readSealed(store, key);
    const isFresh = v.is(pinned, found) && Math.abs(clock.wallMs() - found.wallMs) < PIN_MS;
    if (isFresh) for (const pack of found.packs) packs.add(pack);
    // Its writer is gone.
    else await store.delete([key]);
  }
  for (const key of await store.keys(MARKERS)) {
    const bytes = await store.get(key);
    const marker = bytes ? decodeMarker(bytes) : "corrupt";
    if (marker === "other-version") return "unknown";
    if (marker === "corrupt") continue;
    for (const { name } of marker.packs) packs.add(name);
  }
  return packs;
}

async function isSweeping(store: Store, clock: Clock): Promise<boolean> {
  for (const key of await store.keys(SWEEPS)) {
    const found = await readSealed(store, key);
    if (v.is(sweeping, found) && Math.abs(clock.wallMs() - found.wallMs) < SWEEP_MS) return true;
    // Its collector is gone, or has given up.
    await store.delete([key]);
  }
  return false;
}

async function readSealed(store: Store, key: string): Promise<unknown> {
  const bytes = await store.get(key);
  return bytes && unseal(bytes);
}
