import { expect, test } from "vitest";
import { describeRows } from "../../../tools/tune/describe-rows.ts";

test("a table has a line a site, the winner in brackets, and says why candidates are rejected", () => {
  const text = describeRows([
    {
      kind: "contraction",
      shapeClass: "1 x [8, 8] x [8, 8] NN",
      dtype: "float32",
      candidates: [
        { name: "4x4", ms: 0.75, rejection: null },
        { name: "8x8", ms: 0.5, rejection: null },
        { name: "2x4", ms: null, rejection: "it computes something else" },
        { name: "1x4", ms: null, rejection: null },
      ],
      default: "4x4",
      winner: "8x8",
      speedUp: 1.5,
    },
  ]);
  expect(text.split("\n")).toEqual([
    "kind         dtype    shapes                  speed-up  candidates in ms",
    "contraction  float32  1 x [8, 8] x [8, 8] NN  1.50      4x4 0.750  [8x8 0.500]  2x4 rejected  1x4 -",
    "",
    "rejected:",
    "2x4 for 1 x [8, 8] x [8, 8] NN: it computes something else",
  ]);
});
