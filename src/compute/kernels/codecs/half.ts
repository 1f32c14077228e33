/**
 * float32 values as float16 and back, two in a word: the bytes of `network`'s `float16Codec`, by integers alone, so that no
 * device needs float16 of its own. Values are bound as their bits; chunks are those of a table.
 */
import * as build from "../../lang/build.ts";
import { invocationOf } from "../../lang/expr.ts";
import type { Expr, Kernel, Statement } from "../../lang/kernel.ts";
import { forRange, letIn, Names, store, when } from "../../lang/statements.ts";
import { blocksMax, inChunk, packingKernel, unpackingKernel, type CodecKernels, type PackedArray } from "./chunks.ts";

const { add, and, bitcast, cast, divide, equal, f32, i32, less, lessEqual, load, minimum, multiply, or, select, shiftLeft, shiftRight, subtract, u32, unary } = build; // prettier-ignore

const INFINITE = 0x7f80_0000;
const NAN = 0x7fc0_0000;
const TOO_LARGE = 0x4780_0000;
const SMALLEST_NORMAL = 0x3880_0000;

/** Values that an invocation packs. */
const BLOCK = 64;

/** Half the bytes: 2 a value. Two dispatches, 6 bytes read and written a value in each. */
export function halfKernels(array: PackedArray): CodecKernels {
  const messageWords = Math.ceil(array.count / 2) + array.chunksMax;
  return {
    blockValues: BLOCK,
    messageWords,
    goesOn: false,
    scratch: {},
    pack: [{ kernel: packHalves(array, messageWords), arrays: ["values", "table", "messages"] }],
    unpack: [{ kernel: unpackHalves(array, messageWords), arrays: ["messages", "table", "sent"] }],
  };
}

function packHalves(array: PackedArray, messageWords: number): Kernel {
  const names = new Names();
  const body = inWords(names, array, ({ first, count, place, word }) => {
    const bitsAt = (lane: number): Expr => {
      const at = add(place, i32(lane));
      return select(less(at, count), load(0, add(first, at), "u32"), u32(0));
    };
    return [store(2, word, or(halfOf(bitsAt(0)), shiftLeft(halfOf(bitsAt(1)), u32(16))))];
  });
  return packingKernel({
    name: `pack ${array.count} values as float16`,
    array,
    messageWords,
    blockValues: BLOCK,
    body,
  });
}

function unpackHalves(array: PackedArray, messageWords: number): Kernel {
  const names = new Names();
  const body = inWords(names, array, ({ first, count, place, word }) => {
    const both = letIn(names, "both", load(0, word, "u32"));
    const fields = [and(both.use, u32(0xffff)), shiftRight(both.use, u32(16))];
    const stores = fields.map((field, lane) => {
      const at = add(place, i32(lane));
      return when(less(at, count), [store(2, add(first, at), floatOf(field))]);
    });
    return [both.statement, ...stores];
  });
  return unpackingKernel({
    name: `unpack ${array.count} values of float16`,
    array,
    messageWords,
    blockValues: BLOCK,
    body,
  });
}

/** Two values of a chunk, and the word that holds them. */
interface Pair {
  readonly first: Expr;
  readonly count: Expr;
  /** Of the first of them, in the chunk. */
  readonly place: Expr;
  readonly word: Expr;
}

/** `body` for each word of the invocation's block. */
function inWords(names: Names, array: PackedArray, body: (pair: Pair) => readonly Statement[]): Statement {
  const block = invocationOf(blocksMax(array, BLOCK));
  return inChunk(names, 1, block, ({ firstBlock, first, count, word }) => {
    const from = letIn(names, "from", multiply(subtract(block, firstBlock), i32(BLOCK / 2)));
    const pairs = divide(add(count, i32(1)), i32(2));
    const loop = forRange(names, "pair", from.use, minimum(pairs, add(from.use, i32(BLOCK / 2))), (pair) =>
      body({ first, count, place: multiply(pair, i32(2)), word: add(word, pair) }),
    );
    return [from.statement, loop];
  });
}

/** Rounded to nearest, ties to even; as `float16Bits` of `base`. */
function halfOf(bits: Expr): Expr {
  const magnitude = and(bits, u32(0x7fff_ffff));
  const sign = and(shiftRight(bits, u32(16)), u32(0x8000));
  const steps = unary("round", multiply(bitcast("f32", magnitude), f32(2 ** 24)));
  const isSmall = less(magnitude, u32(SMALLEST_NORMAL));
  const small = cast("u32", select(isSmall, steps, f32(0)));
  const rounded = add(add(magnitude, u32(0xfff)), and(shiftRight(magnitude, u32(13)), u32(1)));
  const normal = shiftRight(subtract(rounded, u32(0x3800_0000)), u32(13));
  const finite = select(isSmall, small, normal);
  const number = select(lessEqual(u32(TOO_LARGE), magnitude), u32(0x7c00), finite);
  return or(sign, select(less(u32(INFINITE), magnitude), u32(0x7e00), number));
}

function floatOf(half: Expr): Expr {
  const exponent = and(shiftRight(half, u32(10)), u32(31));
  const fraction = and(half, u32(0x3ff));
  const small = bitcast("u32", multiply(cast("f32", fraction), f32(2 ** -24)));
  const normal = or(shiftLeft(add(exponent, u32(112)), u32(23)), shiftLeft(fraction, u32(13)));
  const isLast = equal(exponent, u32(31));
  const number = select(isLast, u32(INFINITE), select(equal(exponent, u32(0)), small, normal));
  const signed = or(shiftLeft(and(half, u32(0x8000)), u32(16)), number);
  return select(and(isLast, less(u32(0), fraction)), u32(NAN), signed);
}
