/**
 * Philox4x32-10 as kernel code: the same words as `philox` of `base/random.ts`, on every device.
 *
 * Source: Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3" (SC11), section 3. About 100 integer operations
 * and 20 wide products for four words.
 */
import { add, multiply, multiplyHigh, u32, xor } from "./build.ts";
import type { Expr } from "./kernel.ts";

const MULTIPLIER_0 = u32(0xd2511f53);
const MULTIPLIER_1 = u32(0xcd9e8d57);
const WEYL_0 = u32(0x9e3779b9);
const WEYL_1 = u32(0xbb67ae85);
const ROUNDS = 10;

/** Four u32 words for a 128-bit counter under a 64-bit key, all u32. */
export function philox(
  counter: readonly [Expr, Expr, Expr, Expr],
  key: readonly [Expr, Expr],
): readonly [Expr, Expr, Expr, Expr] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    [c0, c1, c2, c3] = [
      xor(xor(multiplyHigh(MULTIPLIER_1, c2), c1), k0),
      multiply(c2, MULTIPLIER_1),
      xor(xor(multiplyHigh(MULTIPLIER_0, c0), c3), k1),
      multiply(c0, MULTIPLIER_0),
    ];
    k0 = add(k0, WEYL_0);
    k1 = add(k1, WEYL_1);
  }
  return [c0, c1, c2, c3];
}
