/** Agreement on who is gone in many more runs than the suite's: what one in 15,000 shows. */
import { expect, test } from "vitest";
import { CALM, judgeRuns, WILD } from "../network/collectives/verdict-runs.ts";

test.each([
  ["where links break all at once", 40_000, WILD],
  ["where they break now and then", 20_000, { ...CALM, cutsMax: 5, noticesLoss: true }],
])(
  "in runs %s members that count on each other agree",
  (_, seeds, course) => {
    const { agreed, splits } = judgeRuns(seeds, course);
    expect(splits).toEqual([]);
    expect(agreed).toBeGreaterThan(seeds);
  },
  1_200_000,
);
