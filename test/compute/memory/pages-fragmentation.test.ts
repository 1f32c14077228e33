/** A million takes and gives of the sizes that training takes: how much memory they need, and how long each takes. */
import { readFileSync } from "node:fs";
import { assert, expect, test } from "vitest";
import type { Trace } from "../../../bench/traces/trace.ts";
import { Random } from "../../../src/base/random.ts";
import { PAGE_BYTES, Pages, type Allocation } from "../../../src/compute/memory/pages.ts";

const OPERATIONS = 1_000_000;
/** Operations that are timed together, so that looking at the clock does not count. */
const TIMED_TOGETHER = 100;

const tracedSizes = ["eager-mlp", "eager-char-gpt"].flatMap((name) => {
  const url = new URL(`../../../bench/traces/${name}.json`, import.meta.url);
  const { sizes, events } = JSON.parse(readFileSync(url, "utf8")) as Trace;
  return events.filter((event) => event >= 0).map((event) => sizes[event] ?? 0);
});

/** For each operation the bytes to take, or -1 - (place of what to give among the live ones, in the order of swaps). */
function randomOperations(random: Random): { operations: Int32Array; enoughBytes: number } {
  const operations = new Int32Array(OPERATIONS);
  const live: number[] = [];
  let liveBytes = 0;
  let enoughBytes = 0;
  for (let at = 0; at < OPERATIONS; at++) {
    // Between none and some 1,200 live tensors.
    const takes = 0.5 + 0.3 * Math.cos(at / 5000) - live.length / 4000;
    if (live.length === 0 || random.uniform() < takes) {
      const bytes = tracedSizes[random.below(tracedSizes.length)] ?? 0;
      operations[at] = bytes;
      live.push(bytes);
      liveBytes += bytes;
    } else {
      const which = random.below(live.length);
      operations[at] = -1 - which;
      liveBytes -= live[which] ?? 0;
      const last = live.pop() ?? 0;
      if (which < live.length) live[which] = last;
    }
    enoughBytes = Math.max(enoughBytes, liveBytes + live.length * PAGE_BYTES);
  }
  return { operations, enoughBytes };
}

test("a million operations find room in what is asked for and a page a tensor, in microseconds", () => {
  const { operations, enoughBytes } = randomOperations(new Random("fragmentation", 1));
  const pages = new Pages();
  pages.addSlab(Math.floor(enoughBytes / PAGE_BYTES) * PAGE_BYTES);
  const live: Allocation[] = [];
  const micros: number[] = [];
  for (let start = 0; start < OPERATIONS; start += TIMED_TOGETHER) {
    const startMs = performance.now();
    for (let at = start; at < start + TIMED_TOGETHER; at++) play(pages, live, operations[at] ?? 0);
    micros.push(((performance.now() - startMs) * 1000) / TIMED_TOGETHER);
    const wasteBytes = pages.usedBytes - pages.requestedBytes;
    assert(wasteBytes <= live.length * PAGE_BYTES, `${wasteBytes} bytes of rounding for ${live.length} tensors`);
  }
  micros.sort((a, b) => a - b);
  // Some 0.2 on a quiet machine; see the benchmark `allocator`.
  expect(micros[micros.length >> 1]).toBeLessThan(10);
}, 60_000);

function play(pages: Pages, live: Allocation[], operation: number): void {
  if (operation >= 0) {
    const allocation = pages.take(operation, "other");
    if (allocation === undefined) assert(false, `no room for ${operation} bytes`);
    live.push(allocation);
    return;
  }
  const which = -1 - operation;
  const given = live[which];
  const last = live.pop();
  if (given === undefined || last === undefined) return;
  if (which < live.length) live[which] = last;
  pages.give(given);
}
