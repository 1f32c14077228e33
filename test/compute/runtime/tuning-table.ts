/** A tuning table with everything in it that one may hold. */
import type { TuningTable } from "../../../src/compute/compiler/tuning/table.ts";

export function tableOf(): TuningTable {
  return new Map([
    [
      "contraction; float32; 1 x [128, 64] x [64, 256] NN; 4x4,8x8",
      {
        kind: "contraction",
        shapeClass: "1 x [128, 64] x [64, 256] NN",
        dtype: "float32",
        candidates: [
          { name: "4x4", ms: 0.75, rejection: null },
          { name: "8x8", ms: 0.5, rejection: null },
        ],
        winner: "8x8",
      },
    ],
    [
      "elementwise; int32; 4096, 2 to 1; 1,2",
      {
        kind: "elementwise",
        shapeClass: "4096, 2 to 1",
        dtype: "int32",
        candidates: [
          { name: "1", ms: null, rejection: null },
          { name: "2", ms: null, rejection: "lost the device" },
        ],
        winner: null,
      },
    ],
  ]);
}
