import { expect, test } from "vitest";
import { LinkWatch } from "../../../src/host/browser/link-watch.ts";
import type { LinkView } from "../../../src/host/browser/room-view.ts";
import { swarm } from "../../network/support/swarm.ts";

test("each link is shown with its way, its round trip and what it carried of late", async () => {
  const { clock, mux, groups, run } = await swarm(3, 5);
  const seen: Record<string, LinkView>[] = [];
  const watch = new LinkWatch({ clock, mux: mux(0), show: (links) => void seen.push({ ...links }) });
  await clock.advance(2_100);
  expect(seen).toHaveLength(1);
  expect(seen[0]?.["peer-1"]).toEqual({ path: "simulated", roundTripMs: null, bytesPerSecond: 0 });
  const options = { operation: 1, category: "gradients", deadlineMs: 1_000, algorithm: "direct" } as const;
  await run(Promise.all(groups(1).map((group) => group.allReduce(new Float32Array(30_000), options))));
  await clock.advance(2_000);
  const link = seen.at(-1)?.["peer-1"];
  // 3 and up to 8 ms each way.
  expect(link?.roundTripMs).toBeGreaterThanOrEqual(6);
  expect(link?.roundTripMs).toBeLessThanOrEqual(16);
  // A third of the buffer out and in, twice.
  expect(link?.bytesPerSecond).toBeGreaterThan((4 * 40_000) / 2);
  expect(link?.bytesPerSecond).toBeLessThan((4 * 40_000 * 1.01) / 2);
  watch.close();
  const count = seen.length;
  await clock.advance(10_000);
  expect(seen).toHaveLength(count);
});
