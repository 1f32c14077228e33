/** What one thread's vectors can do at most: products and sums in registers, without and with the fused instruction. */
import { Code } from "../../src/compute/lang/wasm/code.ts";
import { assembleModule } from "../../src/compute/lang/wasm/module.ts";
import { hasMultiplyAdd } from "../../src/compute/device/wasm/features.ts";
import { elapsedMs } from "../measure.ts";
import type { Ceiling } from "./measure-ceilings.ts";

/** Sums that are computed side by side. */
const SUMS = 12;
const ROUNDS = 4_000_000;
const REPEATS = 7;
/** Floats of a vector, and operations on each. */
const OPERATIONS = 4 * 2;

/** Of this machine's processor, by WebAssembly. */
export async function measureWasmCeilings(): Promise<Ceiling[]> {
  const ceilings = [{ name: "f32 multiply and add, one thread", unit: "GFLOP/s", value: await peak(false) }];
  if (hasMultiplyAdd()) {
    ceilings.push({ name: "f32 fused multiply-add, one thread", unit: "GFLOP/s", value: await peak(true) });
  }
  return ceilings;
}

async function peak(isFused: boolean): Promise<number> {
  const code = new Code(["i32"]);
  const [x, y, ...sums] = Array.from({ length: SUMS + 2 }, () => code.local("v128"));
  code.while(
    () => code.get(0),
    () => {
      for (const sum of sums) {
        if (!isFused) code.get(sum);
        code.get(x ?? 0);
        code.get(y ?? 0);
        if (isFused) code.get(sum);
        code.op(...(isFused ? (["f32x4.relaxed_madd"] as const) : (["f32x4.mul", "f32x4.add"] as const)));
        code.set(sum);
      }
      code.get(0);
      code.i32(-1);
      code.op("i32.add");
      code.set(0);
    },
  );
  for (const sum of sums) code.get(sum);
  for (let i = 1; i < sums.length; i++) code.op("f32x4.add");
  code.lane("f32x4.extract_lane", 0);
  const functions = [{ code, results: ["f32"] as const }];
  const bytes = assembleModule({
    sharedPagesMax: undefined,
    imports: [],
    functions,
    exported: { name: "run", index: 0 },
  });
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { instance } = await WebAssembly.instantiate(bytes, { env: { memory } });
  const run = instance.exports["run"] as (rounds: number) => number;
  for (let i = 0; i < 20; i++) run(ROUNDS / 40);
  let best = Infinity;
  for (let i = 0; i < REPEATS; i++) best = Math.min(best, await elapsedMs(async () => void run(ROUNDS)));
  return (ROUNDS * SUMS * OPERATIONS) / best / 1e6;
}
