/**
 * How the values of a kernel differ between the four lanes of a vector: not at all, by a constant from lane to lane, or
 * in any way. So indices are computed once and not four times, and neighbours are loaded as one vector.
 *
 * A value with a stride is known by what it is in lane 0. Its `align` is a power of two that divides that one: rows of a
 * multiple of four elements end where vectors end, so that `index / 64` is the same in all lanes, and `index % 64` goes up
 * with them.
 */
import { lanesOf, type BuiltInName, type Kernel } from "../kernel.ts";
import type { Block, NumberedKernel, Value } from "../numbered-kernel.ts";
import { isInteger } from "../value-rules.ts";

/** Lanes of a vector. */
export const LANES = 4;

/** Whether the four lanes are invocations beside one another. */
export interface VectorMode {
  /** 1: every invocation for itself, all values are the same in "all lanes". */
  readonly width: 1 | 4;
  /** Some lanes of a vector may be none: they do again what the last one does, and store nothing. */
  readonly isRagged: boolean;
  /** Invocations come by workgroups; else in one row, which begins at a multiple of four. */
  readonly isGrouped: boolean;
}

export interface LaneForm {
  /** What is added from lane to lane: 0 for what is the same in all, null for what follows no rule. */
  readonly stride: number | null;
  readonly align: number;
}

/** How a name is bound. */
type Binding =
  | { readonly kind: "counter"; readonly from: Value }
  | { readonly kind: "value"; readonly value: Value }
  | { readonly kind: "mutable"; isVarying: boolean }
  | { readonly kind: "uniform" }
  | { readonly kind: "varying" };

const ALIGN_MAX = 2 ** 20;
const VARYING: LaneForm = { stride: null, align: 1 };
const UNIFORM: LaneForm = { stride: 0, align: 1 };

/** By value id. */
export class LaneForms {
  readonly #forms: LaneForm[] = [];
  readonly #kernel: Kernel;
  readonly #mode: VectorMode;
  readonly #names = new Map<string, Binding>();
  /** By name of a `var`: how many diverging conditions are around it. */
  readonly #depths = new Map<string, number>();

  constructor(kernel: Kernel, numbered: NumberedKernel, mode: VectorMode) {
    this.#kernel = kernel;
    this.#mode = mode;
    this.#bind(numbered.root);
    // A `var` is the same in all lanes until something shows that it is not, which may show it of others.
    do this.#computeForms(numbered);
    while (this.#spread(numbered.root, 0));
  }

  of(value: Value): LaneForm {
    return this.#forms[value.id] ?? VARYING;
  }

  /** True where the lanes may have values without a rule. */
  isVarying(value: Value): boolean {
    return this.of(value).stride === null;
  }

  /** True for a name whose lanes may differ. */
  isVaryingName(name: string): boolean {
    const binding = this.#names.get(name);
    return binding?.kind === "mutable" ? binding.isVarying : binding?.kind === "varying";
  }

  /** How many diverging conditions are around the definition of a `var`. */
  depthOf(name: string): number {
    return this.#depths.get(name) ?? 0;
  }

  #bind(block: Block): void {
    for (const line of block.lines) {
      if (line.kind === "define") {
        const { name, value, isMutable } = line;
        this.#names.set(name, isMutable ? { kind: "mutable", isVarying: false } : { kind: "value", value });
      } else if (line.kind === "for") {
        this.#names.set(line.name, { kind: "counter", from: line.from });
      } else if (line.kind === "subgroup") {
        const isSame = this.#mode.width === 1 || line.op !== "shuffleXor";
        this.#names.set(line.name, { kind: isSame ? "uniform" : "varying" });
      }
      if ("body" in line) this.#bind(line.body);
    }
  }

  #computeForms({ values }: NumberedKernel): void {
    for (const value of values) this.#forms[value.id] = this.#mode.width === 1 ? UNIFORM : this.#formOf(value);
  }

  /** Marks each `var` that differs between lanes; whether there was a new one. */
  #spread(block: Block, depth: number): boolean {
    let isNew = false;
    for (const line of block.lines) {
      if (line.kind === "define" && line.isMutable) this.#depths.set(line.name, depth);
      if ((line.kind === "define" && line.isMutable) || line.kind === "assign") {
        const binding = this.#names.get(line.name);
        const differs =
          this.isVarying(line.value) || this.of(line.value).stride !== 0 || depth > this.depthOf(line.name);
        if (differs && binding?.kind === "mutable" && !binding.isVarying) isNew = binding.isVarying = true;
      }
      if ("body" in line) isNew = this.#spread(line.body, depth + (this.diverges(line) ? 1 : 0)) || isNew;
    }
    return isNew;
  }

  /** True for a block that some lanes may enter, or stay in, without others. */
  diverges(line: Block["lines"][number]): boolean {
    if (line.kind === "if") return this.#differs(line.condition);
    return line.kind === "for" && (this.#differs(line.from) || this.#differs(line.to));
  }

  #differs(value: Value): boolean {
    return this.of(value).stride !== 0;
  }

  #formOf(value: Value): LaneForm {
    const { expr, operands } = value;
    const forms = operands.map((operand) => this.of(operand));
    const areUniform = forms.every(({ stride }) => stride === 0);
    switch (expr.kind) {
      case "constant":
        return { stride: 0, align: typeof expr.value === "number" ? alignOf(expr.value) : 1 };
      case "variable":
        return this.#variable(expr.name, value);
      case "load":
      case "loadShared":
        return areUniform ? UNIFORM : VARYING;
      case "loadPrivate":
        return VARYING;
      case "bitcast":
      case "cast": {
        const [x = VARYING] = forms;
        const keeps = isInteger(expr.type) && isInteger(expr.x.type);
        return keeps ? x : areUniform ? UNIFORM : VARYING;
      }
      case "binary":
        return binaryForm(value, forms, areUniform);
      case "select": {
        const [condition, yes = VARYING, no = VARYING] = forms;
        const isOne = condition?.stride === 0 && yes.stride !== null && yes.stride === no.stride;
        return isOne ? { stride: yes.stride, align: Math.min(yes.align, no.align) } : VARYING;
      }
      case "unary":
        return areUniform ? UNIFORM : VARYING;
    }
  }

  #variable(name: string, value: Value): LaneForm {
    const binding = this.#names.get(name);
    switch (binding?.kind) {
      case "counter":
        return this.of(binding.from).stride === 0 ? UNIFORM : VARYING;
      case "value":
        return this.of(binding.value);
      case "mutable":
        return binding.isVarying ? VARYING : UNIFORM;
      case "uniform":
        return UNIFORM;
      case "varying":
        return VARYING;
      case undefined:
        return builtInForm(value.expr.kind === "variable" ? (name as BuiltInName) : "lane", this.#kernel, this.#mode);
    }
  }
}

function builtInForm(name: BuiltInName, kernel: Kernel, { isRagged, isGrouped }: VectorMode): LaneForm {
  const lanes = alignOf(lanesOf(kernel));
  switch (name) {
    case "workgroup":
    case "subgroupSize":
      return UNIFORM;
    case "invocation":
      return isRagged ? VARYING : { stride: 1, align: isGrouped ? Math.min(LANES, lanes) : LANES };
    case "lane":
      return isRagged ? VARYING : { stride: 1, align: isGrouped && lanesOf(kernel) <= LANES ? ALIGN_MAX : LANES };
    case "subgroupLane":
      return isRagged ? VARYING : { stride: 1, align: ALIGN_MAX };
  }
}

function binaryForm({ expr, operands }: Value, forms: readonly LaneForm[], areUniform: boolean): LaneForm {
  const [a = VARYING, b = VARYING] = forms;
  const usual = areUniform ? UNIFORM : VARYING;
  if (expr.kind !== "binary" || !isInteger(expr.a.type) || a.stride === null || b.stride === null) return usual;
  const align = Math.min(a.align, b.align);
  const divisor = constantOf(operands[1]);
  switch (expr.op) {
    case "add":
      return { stride: a.stride + b.stride, align };
    case "subtract":
      return { stride: a.stride - b.stride, align };
    case "multiply": {
      const factor = divisor ?? constantOf(operands[0]);
      if (factor === undefined) return areUniform ? { stride: 0, align: capped(a.align * b.align) } : VARYING;
      const stride = (divisor === undefined ? b.stride : a.stride) * factor;
      return { stride, align: capped(a.align * b.align) };
    }
    case "divide":
    case "remainder":
      return divisor === undefined || divisor <= 0 || (operands[0]?.range.min ?? -1) < 0
        ? usual
        : quotientForm(expr.op, a as LaneForm & { stride: number }, divisor);
    case "less":
      // No multiple of the common divisor lies between the first lane and the last.
      return b.stride === 0 && a.stride >= 0 && a.stride * (LANES - 1) < align ? UNIFORM : usual;
    case "lessEqual":
      return a.stride === 0 && b.stride >= 0 && b.stride * (LANES - 1) < align ? UNIFORM : usual;
    case "minimum":
    case "maximum":
      return areUniform ? { stride: 0, align } : VARYING;
    default:
      return usual;
  }
}

/** Of a / divisor or a % divisor, for an `a` that is not negative. */
function quotientForm(op: "divide" | "remainder", a: { stride: number; align: number }, divisor: number): LaneForm {
  const common = Math.min(a.align, alignOf(divisor));
  const staysBelow = a.stride >= 0 && a.stride * (LANES - 1) < common;
  if (op === "divide") {
    const isWhole = a.stride % divisor === 0;
    if (!isWhole && !staysBelow) return VARYING;
    const align = Number.isInteger(Math.log2(divisor)) ? Math.max(1, Math.floor(a.align / divisor)) : 1;
    return { stride: isWhole ? a.stride / divisor : 0, align };
  }
  if (a.stride % divisor === 0) return { stride: 0, align: common };
  return staysBelow ? { stride: a.stride, align: common } : VARYING;
}

function constantOf(value: Value | undefined): number | undefined {
  return value?.expr.kind === "constant" ? Number(value.expr.value) : undefined;
}

/** The largest power of two that divides `value`. */
function alignOf(value: number): number {
  if (!Number.isInteger(value)) return 1;
  return value === 0 ? ALIGN_MAX : capped(Math.abs(value & -value));
}

function capped(align: number): number {
  return Math.min(align, ALIGN_MAX);
}
