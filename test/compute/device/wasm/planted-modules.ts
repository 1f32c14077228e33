/** Modules that no kernel is printed as: such as trap, and such as tell which thread they run in. */
import { RUN, type PrintedModule, type WasmTarget } from "../../../../src/compute/lang/wasm/print-wasm.ts";
import { Code } from "../../../../src/compute/lang/wasm/code.ts";
import { IMPORTS } from "../../../../src/compute/lang/wasm/library.ts";
import { assembleModule } from "../../../../src/compute/lang/wasm/module.ts";

/** What `run` is called with. */
const [ARGUMENTS, FROM, TO, SCRATCH] = [0, 1, 2, 3] as const;
/** Scratch memory of the thread that owns the device begins where a page does; that of others does not. */
const IN_PAGE = 0xffff;
const UNREACHABLE = 0x00;
/** Of work for each invocation, so that threads come in time. */
const ROUNDS = 200;

/** What a planted module does. */
export type Plant = "unreachable" | "divide by zero" | "outside of memory" | "traps in a thread" | "counts invocations";

/** Which of them a kernel of this name is; kernels of other names are none. */
export function plantOf(kernelName: string): Plant | undefined {
  const plants: readonly Plant[] = ["unreachable", "divide by zero", "outside of memory", "traps in a thread", "counts invocations"]; // prettier-ignore
  return plants.find((plant) => kernelName === `planted: ${plant}`);
}

export function plantedModule(plant: Plant, { sharedPagesMax }: WasmTarget): PrintedModule {
  const code = new Code(["i32", "i32", "i32", "i32"]);
  WRITERS[plant](code);
  const functions = [{ code, results: [] }];
  const bytes = assembleModule({ sharedPagesMax, imports: IMPORTS, functions, exported: { name: RUN, index: 0 } });
  return { bytes, scratchBytes: 16 };
}

const WRITERS: { readonly [P in Plant]: (code: Code) => void } = {
  unreachable: (code) => code.bytes.push(UNREACHABLE),
  "divide by zero"(code) {
    code.get(FROM);
    code.i32(0);
    code.op("i32.div_s");
    code.set(FROM);
  },
  "outside of memory"(code) {
    code.i32(-4);
    code.memory("i32.load");
    code.set(FROM);
  },
  "traps in a thread"(code) {
    pushThread(code);
    code.if(() => code.bytes.push(UNREACHABLE));
    work(code);
  },
  // arguments[0][thread] += to - from, with threads told apart by their scratch memory.
  "counts invocations"(code) {
    const place = code.local("i32");
    pushThread(code);
    code.i32(2);
    code.op("i32.shl");
    code.get(ARGUMENTS);
    code.memory("i32.load");
    code.op("i32.add");
    code.tee(place);
    code.get(place);
    code.memory("i32.load");
    code.get(TO);
    code.get(FROM);
    code.op("i32.sub", "i32.add");
    code.memory("i32.store");
    work(code);
  },
};

/** 0 in the thread that owns the device, then 1, 2, ...: the distance of scratch memories is twice 256 bytes. */
function pushThread(code: Code): void {
  code.get(SCRATCH);
  code.i32(IN_PAGE);
  code.op("i32.and");
  code.i32(9);
  code.op("i32.shr_u");
}

/** Some time for each invocation. */
function work(code: Code): void {
  const left = code.local("i32");
  code.get(TO);
  code.get(FROM);
  code.op("i32.sub");
  code.i32(ROUNDS);
  code.op("i32.mul");
  code.set(left);
  code.while(
    () => code.get(left),
    () => {
      code.get(left);
      code.i32(1);
      code.op("i32.sub");
      code.set(left);
    },
  );
}
