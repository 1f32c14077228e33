import { expect, test } from "vitest";
import { OptionError } from "../../../src/base/errors.ts";
import { Buckets, planBuckets } from "../../../src/network/collectives/buckets.ts";
import { Outbox } from "../../../src/network/outbox.ts";
import { swarm } from "../support/swarm.ts";

test("arrays are put together until a bucket is full, in their order", () => {
  expect(planBuckets([10, 10, 10, 100, 1], 80)).toEqual([[0, 1], [2], [3], [4]]);
  expect(planBuckets([], 80)).toEqual([]);
});

test("buckets give each array's sum, whatever order they come in", async () => {
  const { groups, run } = await swarm(3, 20_260_303);
  const lengths = [100, 7, 0, 300, 1];
  const results = await run(
    Promise.all(
      groups(1).map(async (group) => {
        const buckets = new Buckets(
          group,
          { lengths, bucketBytes: 500 },
          { operation: 10, category: "gradients", deadlineMs: 9_000 },
        );
        expect(buckets.count).toBe(3);
        const order = [0, 1, 2, 3, 4].map((array) => (array + group.rank) % 5);
        for (const array of order) buckets.put(array, new Float32Array(lengths[array] ?? 0).fill(group.rank + array));
        expect(() => buckets.put(9, new Float32Array(0))).toThrow(OptionError);
        return Promise.all(lengths.map((_, array) => buckets.take(array)));
      }),
    ),
  );
  for (const sums of results)
    expect(sums).toEqual(lengths.map((length, array) => new Float32Array(length).fill(3 + 3 * array)));
});

test("frames leave by priority, then operation, and every eighth is the oldest", async () => {
  const order: number[] = [];
  const releases: (() => void)[] = [];
  const outbox = new Outbox((frame) => {
    order.push(frame[0] ?? -1);
    return new Promise((resolve) => releases.push(resolve));
  });
  const push = (name: number, priority: number, operation: number) =>
    void outbox.push(Uint8Array.of(name), { priority, operation });
  push(0, 0, 0);
  push(1, 9, 1); // Late gradients, begun first.
  for (let name = 2; name < 12; name++) push(name, 1, 20 - name);
  for (let count = 0; count < 12; count++) {
    releases.shift()?.();
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  expect(order).toEqual([0, 11, 10, 9, 8, 7, 6, 1, 5, 4, 3, 2]);
});
