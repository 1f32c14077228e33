import { expect, test } from "vitest";
import { measureJoin } from "../../bench/join.ts";

test("four donors give a newcomer its state at least 2.5 times as fast as one, none much more than its share", async () => {
  const one = await measureJoin(1);
  const four = await measureJoin(4);
  expect(one.ms / four.ms).toBeGreaterThan(2.5);
  const total = four.sent.reduce((sum, bytes) => sum + bytes, 0);
  for (const bytes of four.sent) expect(bytes / (total / 4)).toBeLessThan(1.5);
});
