/**
 * Kernels as WebAssembly: a module with one function `run(arguments, from, to, scratch)` that runs the invocations
 * [from, to). `arguments` is where the addresses of the bound arrays are, one word each; `scratch` is memory of the
 * caller's thread.
 *
 * Four neighbouring invocations are the lanes of a vector. Workgroups of up to four lanes are one vector, whose lanes
 * are always together: barriers are nothing there, subgroups are what vectors do. Vectors of larger workgroups run in
 * turns, from barrier to barrier (`workgroup.ts`).
 */
import type { Bytes } from "../../../base/bytes.ts";
import { isLockStep } from "../features.ts";
import { lanesOf, type Kernel } from "../kernel.ts";
import type { NumberedKernel } from "../numbered-kernel.ts";
import { numberKernel } from "../numbering.ts";
import { placeValues, type Placing } from "../placing.ts";
import { nameSubgroup, PARAMETERS, type Body } from "./body.ts";
import { Code, type Local } from "./code.ts";
import { Frame, shiftOf, type Slot } from "./frame.ts";
import { LANES, LaneForms, type VectorMode } from "./lane-forms.ts";
import { Library, IMPORTS } from "./library.ts";
import { Lines } from "./lines.ts";
import { assembleModule } from "./module.ts";
import { Values, type WasmFeatures } from "./values.ts";
import { usedByVectorsOnly } from "./vector-uses.ts";
import { workgroups } from "./workgroup.ts";

/** The function that a module exports. */
export const RUN = "run";

/** What a module is printed for. */
export interface WasmTarget extends WasmFeatures {
  /** Pages of its memory at most, if that is shared; undefined if it is not. */
  readonly sharedPagesMax: number | undefined;
}

/** A module, and the memory that each thread has to give its function. */
export interface PrintedModule {
  readonly bytes: Bytes;
  readonly scratchBytes: number;
}

/** The module of a kernel. @throws InvariantError for a kernel that breaks the rules of `kernel.ts`. */
export function printWasm(kernel: Kernel, target: WasmTarget): PrintedModule {
  const printer = new FunctionPrinter(kernel, target);
  const scratchBytes = printer.print();
  const functions = [...printer.library.functions, { code: printer.code, results: [] }];
  const exported = { name: RUN, index: functions.length - 1 };
  const bytes = assembleModule({ sharedPagesMax: target.sharedPagesMax, imports: IMPORTS, functions, exported });
  return { bytes, scratchBytes };
}

class FunctionPrinter {
  readonly library: Library = new Library();
  readonly code: Code;
  readonly #kernel: Kernel;
  readonly #features: WasmFeatures;
  readonly #numbered: NumberedKernel;
  readonly #placing: Placing;
  readonly #bases: readonly Local[];

  constructor(kernel: Kernel, features: WasmFeatures) {
    this.#kernel = kernel;
    this.#features = features;
    this.code = new Code(["i32", "i32", "i32", "i32"], features.hasMultiplyAdd);
    this.#numbered = numberKernel(kernel);
    this.#placing = placeValues(this.#numbered);
    this.#bases = kernel.bindings.map(() => this.code.local("i32"));
  }

  /** Writes the function; the bytes of scratch memory that it uses. */
  print(): number {
    const { invocations, workgroup } = this.#kernel;
    for (const [i, base] of this.#bases.entries()) {
      this.code.get(PARAMETERS.arguments);
      this.code.memory("i32.load", 4 * i);
      this.code.set(base);
    }
    const lanes = lanesOf(this.#kernel);
    const isGrouped = workgroup !== undefined && (workgroup.shared.length > 0 || lanes % LANES !== 0 || this.#waits());
    if (isGrouped) {
      const mode: VectorMode = { width: 4, isRagged: lanes % LANES !== 0, isGrouped };
      const body = this.#body(mode, Math.ceil(lanes / LANES));
      workgroups(body);
      return body.frame.bytes;
    }
    if (invocations < LANES) return this.#flat({ width: 1, isRagged: false, isGrouped: false });
    const whole = this.#flat({ width: 4, isRagged: false, isGrouped: false });
    const rest = invocations % LANES === 0 ? 0 : this.#flat({ width: 4, isRagged: true, isGrouped: false });
    return Math.max(whole, rest);
  }

  #waits(): boolean {
    const { body, workgroup } = this.#kernel;
    return workgroup !== undefined && body.length > 0 && isLockStep(this.#kernel);
  }

  #body(mode: VectorMode, vectors: number): Body {
    const [kernel, numbered, code] = [this.#kernel, this.#numbered, this.code];
    const forms = new LaneForms(kernel, numbered, mode);
    const frame = new Frame(code, PARAMETERS.scratch, vectors);
    for (const [i, { type, aliasOf }] of kernel.bindings.entries()) {
      const base = this.#bases[aliasOf ?? i] ?? 0;
      frame.bind(`b${aliasOf ?? i}`, { base, offset: 0, shift: shiftOf(type === "f16" ? 2 : 4), isPerLane: false });
    }
    const values = new Values({ code, library: this.library }, frame, forms, this.#features);
    const keptAsVectors = usedByVectorsOnly(numbered, forms);
    const lines = new Lines({ values, placing: this.#placing, mode, keptAsVectors });
    return { kernel, numbered, code, frame, values, lines, mode };
  }

  /** Invocations in a row: whole vectors as far as there are any, or what is left of one. */
  #flat(mode: VectorMode): number {
    const body = this.#body(mode, 1);
    const { code, values, lines } = body;
    const { isRagged, width } = mode;
    const invocation = PARAMETERS.from;
    const each = (): void => {
      const mask = isRagged ? this.#rest(body, invocation) : undefined;
      if (!isRagged) values.setName("invocation", { type: "i32", local: invocation });
      this.#places(body, invocation);
      lines.with(mask, false, () => lines.block(this.#numbered.root));
    };
    const isThere = (): void => {
      code.get(invocation);
      code.i32(isRagged ? 1 : width);
      code.op("i32.add");
      code.get(PARAMETERS.to);
      code.op("i32.le_s");
    };
    if (isRagged) {
      isThere();
      code.if(each);
    } else {
      code.while(isThere, () => {
        each();
        code.get(invocation);
        code.i32(width);
        code.op("i32.add");
        code.set(invocation);
      });
    }
    return body.frame.bytes;
  }

  /** Names the lanes of the last vector, which are fewer than four: the others do what the last one does. */
  #rest({ code, values }: Body, invocation: Local): Local {
    const own = code.local("v128");
    const mask = code.local("v128");
    code.get(invocation);
    code.op("i32x4.splat");
    code.lanes([0, 1, 2, 3]);
    code.op("i32x4.add");
    code.tee(own);
    code.i32x4(this.#kernel.invocations);
    code.op("i32x4.lt_s");
    code.set(mask);
    code.get(own);
    code.i32x4(this.#kernel.invocations - 1);
    code.op("i32x4.min_s");
    code.set(own);
    values.setName("invocation", { type: "v128", local: own });
    return mask;
  }

  /** WORKGROUP and LANE, of which the kernel asks. */
  #places({ numbered, code, values, mode }: Body, invocation: Local): void {
    const lanes = lanesOf(this.#kernel);
    const place = (op: "i32.div_u" | "i32.rem_u"): Slot => {
      const local = code.local("i32");
      code.get(invocation);
      code.i32(lanes);
      code.op(op);
      code.set(local);
      return { type: "i32", local };
    };
    const { builtIns } = numbered;
    if (builtIns.has("workgroup")) values.setName("workgroup", place("i32.div_u"));
    if (builtIns.has("lane"))
      values.setName("lane", mode.isRagged ? this.#raggedLane(values, code) : place("i32.rem_u"));
    nameSubgroup(values, code, numbered, mode);
  }

  #raggedLane(values: Values, code: Code): Slot {
    const lanes = lanesOf(this.#kernel);
    const local = code.local("v128");
    // A vector begins at a multiple of four: all its lanes are in one workgroup.
    values.frame.read(values.slotOf("invocation"));
    code.get(PARAMETERS.from);
    code.i32(lanes);
    code.op("i32.div_u");
    code.i32(lanes);
    code.op("i32.mul", "i32x4.splat", "i32x4.sub");
    code.set(local);
    return { type: "v128", local };
  }
}
