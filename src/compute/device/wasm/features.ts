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

/** Whether threads may have a memory together: browsers want pages that are isolated from others. */
export function canShareMemory(): boolean {
  const { crossOriginIsolated = true } = globalThis as { readonly crossOriginIsolated?: boolean };
  return typeof SharedArrayBuffer !== "undefined" && crossOriginIsolated;
}
