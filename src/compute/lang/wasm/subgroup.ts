/** Exchanges between the lanes of a subgroup, which is a vector. */
import { assert } from "../../../base/assert.ts";
import type { SubgroupOp } from "../kernel.ts";
import type { Line } from "../numbered-kernel.ts";
import type { Code, Local } from "./code.ts";
import { LANES } from "./lane-forms.ts";
import type { Opcode } from "./opcodes.ts";
import { VectorMath, type Push } from "./vector-math.ts";

type Fold = Exclude<SubgroupOp, "broadcastFirst" | "broadcast" | "shuffleXor">;

const FOLDS: { readonly [Op in Fold]: { readonly float: Opcode; readonly signed: Opcode; readonly unsigned: Opcode } } =
  {
    add: { float: "f32x4.add", signed: "i32x4.add", unsigned: "i32x4.add" },
    product: { float: "f32x4.mul", signed: "i32x4.mul", unsigned: "i32x4.mul" },
    maximum: { float: "f32x4.pmax", signed: "i32x4.max_s", unsigned: "i32x4.max_u" },
    minimum: { float: "f32x4.pmin", signed: "i32x4.min_s", unsigned: "i32x4.min_u" },
  };

/** Leaves the result on the stack: one for all lanes, but for `shuffleXor`. `mask` has the lanes that there are. */
export function subgroup(
  code: Code,
  { op, value, mask: exchanged, lane }: Line & { kind: "subgroup" },
  x: Push,
  mask: Local | undefined,
): void {
  const shape = value.expr.type === "f32" ? "f32x4" : "i32x4";
  if (op === "shuffleXor") {
    assert(exchanged < LANES, `subgroup: expected a mask below ${LANES}, found ${exchanged}`);
    const m = new VectorMath(code);
    const own = m.keep(x);
    own();
    own();
    return code.shuffle([0 ^ exchanged, 1 ^ exchanged, 2 ^ exchanged, 3 ^ exchanged]);
  }
  if (op === "broadcastFirst" || op === "broadcast") {
    assert(lane < LANES, `subgroup: expected a lane below ${LANES}, found ${lane}`);
    x();
    return code.lane(`${shape}.extract_lane`, lane);
  }
  const { float, signed, unsigned } = FOLDS[op];
  const fold = value.expr.type === "f32" ? float : value.expr.type === "i32" ? signed : unsigned;
  foldLanes(code, fold, mask === undefined ? x : withoutOthers(code, op, value.expr.type, x, mask));
  code.lane(`${shape}.extract_lane`, 0);
}

/** (0 + 2) + (1 + 3) in all lanes. */
function foldLanes(code: Code, fold: Opcode, x: Push): void {
  const m = new VectorMath(code);
  const own = m.keep(x);
  const pairs = m.keep(m.op(fold, own, m.upper(own)));
  m.op(fold, pairs, () => {
    pairs();
    pairs();
    code.shuffle([1, 0, 1, 0]);
  })();
}

/** `x`, with what changes no result in lanes that are none. */
function withoutOthers(code: Code, op: Fold, type: string, x: Push, mask: Local): Push {
  const m = new VectorMath(code);
  return m.choose(() => code.get(mask), x, identity(m, op, type));
}

function identity(m: VectorMath, op: Fold, type: string): Push {
  const isFloat = type === "f32";
  switch (op) {
    case "add":
      return m.bits(0);
    case "product":
      return isFloat ? m.number(1) : m.bits(1);
    case "maximum":
      return isFloat ? m.number(-Infinity) : m.bits(type === "i32" ? -0x80000000 : 0);
    case "minimum":
      return isFloat ? m.number(Infinity) : m.bits(type === "i32" ? 0x7fffffff : -1);
  }
}
