/** What this engine's WebAssembly can do, found out by asking it to validate small modules. */
import { Code } from "../../lang/wasm/code.ts";
import { assembleModule } from "../../lang/wasm/module.ts";

function validates(write: (code: Code) => void): boolean {
  if (typeof WebAssembly === "undefined") return false;
  const code = new Code(["v128", "v128", "v128"]);
  write(code);
  const exported = { name: "run", index: 0 };
  return WebAssembly.validate(
    assembleModule({ sharedPagesMax: undefined, imports: [], functions: [{ code, results: ["v128"] }], exported }),
  );
}

function pushAll(code: Code): void {
  for (const local of [0, 1, 2]) code.get(local);
}

/** Whether there is WebAssembly with vectors of 128 bits. */
export function hasSimd(): boolean {
  return validates((code) => {
    pushAll(code);
    code.op("v128.bitselect");
  });
}

/** Whether x * y + z is one instruction (relaxed SIMD). */
export function hasMultiplyAdd(): boolean {
  return validates((code) => {
    pushAll(code);
    code.op("f32x4.relaxed_madd");
  });
}

/** V8 from which on it compiles in the order of the code; older ones load all that a block loads before they compute. */
const V8_IN_ORDER = 13;
/**
 * Of 15 registers, beside which two vectors and one factor are kept in order, or three of each; or two vectors and four
 * factors. Without the fused instruction a product takes one too.
 */
const VECTOR_SUMS = { inOrder: { fused: 12, apart: 10 }, loadsFirst: { fused: 9, apart: 8 } } as const;

/** Vectors of sums that stay in registers, where x * y + z is one instruction or not. */
export function vectorSums(isFused: boolean): number {
  const { process, navigator } = globalThis as {
    readonly process?: { readonly versions?: { readonly v8?: string } };
    readonly navigator?: { readonly userAgent?: string };
  };
  // Chrome 130 has V8 13.0.
  const chrome = /Chrom(?:e|ium)\/(\d+)/.exec(navigator?.userAgent ?? "")?.[1];
  const v8 = process?.versions?.v8 ?? (chrome === undefined ? undefined : String(Number(chrome) / 10));
  const isOld = v8 !== undefined && Number.parseFloat(v8) < V8_IN_ORDER;
  const { fused, apart } = isOld ? VECTOR_SUMS.loadsFirst : VECTOR_SUMS.inOrder;
  return isFused ? fused : apart;
}

/** Whether threads may have a memory together: browsers want pages that are isolated from others. */
export function canShareMemory(): boolean {
  const { crossOriginIsolated = true } = globalThis as { readonly crossOriginIsolated?: boolean };
  return typeof SharedArrayBuffer !== "undefined" && crossOriginIsolated;
}
