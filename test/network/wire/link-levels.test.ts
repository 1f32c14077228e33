/** Levels of links: what noise does to them, and what their text may be. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  bytesPerMsOf,
  decodeLevels,
  encodeLevels,
  latencyMsOf,
  levelOf,
  LINKED_MEMBERS_MAX,
  UNMEASURED,
} from "../../../src/network/wire/link-levels.ts";

const options = { seed: 31, numRuns: 200 };
const level = fc.record({ latency: fc.nat(15), bandwidth: fc.nat(25) });
const matrices = fc
  .integer({ min: 1, max: 8 })
  .chain((size) =>
    fc.array(fc.array(level, { minLength: size, maxLength: size }), { minLength: size, maxLength: size }),
  );

test("levels come back from their text, two letters a link", () => {
  fc.assert(
    fc.property(matrices, (links) => {
      const text = encodeLevels(links);
      expect(text.length).toBe(2 * links.length * (links.length - 1));
      const back = decodeLevels(text, links.length);
      for (const [from, row] of links.entries())
        for (const [to, one] of row.entries()) if (from !== to) expect(back?.[from]?.[to]).toEqual(one);
    }),
    options,
  );
});

test("text that is not of so many members, or has other letters, is none", () => {
  for (const [text, size] of [
    ["", 2],
    ["aaa", 2],
    ["aaaaaa", 2],
    ["qaaa", 2],
    ["aAaa", 2],
    ["a a ", 2],
    ["é".repeat(4), 2],
  ] as const)
    expect(decodeLevels(text, size), `${text} of ${size}`).toBeNull();
  const size = LINKED_MEMBERS_MAX + 1;
  expect(decodeLevels("a".repeat(2 * size * (size - 1)), size)).toBeNull();
  expect(decodeLevels("", 1)).toEqual([[{ latency: 0, bandwidth: 0 }]]);
});

test("a figure within 1.7 times its level's changes nothing, one of twice and more does", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 24 }),
      fc.double({ min: 0.58, max: 1.7, noNaN: true }),
      (bandwidth, factor) => {
        const before = { latency: null, bandwidth };
        expect(levelOf(["a", null, bytesPerMsOf(bandwidth) * factor], before)).toEqual(before);
        expect(levelOf(["a", null, bytesPerMsOf(bandwidth) * 2], before).bandwidth).toBe(bandwidth + 1);
      },
    ),
    options,
  );
  expect(levelOf(["a", null, null])).toEqual(UNMEASURED);
  expect(levelOf(["a", 0, 0])).toEqual({ latency: 0, bandwidth: 0 });
  expect(levelOf(["a", 60_000, 1e9])).toEqual({ latency: 15, bandwidth: 25 });
  expect([latencyMsOf(0), latencyMsOf(3), latencyMsOf(15), bytesPerMsOf(10)]).toEqual([1 / 8, 1, 4_096, 1_024]);
});
