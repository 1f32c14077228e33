/**
 * float32 values as integers of 8 or 4 bits with a scale for each block of 64, rounded at random: the bytes of `network`'s
 * `int8Codec` and `int4Codec`, on every device. So all arithmetic is on integers, but for one product a block and, when
 * they are unpacked, one a value, which IEEE rounds alike everywhere. Values are bound as their bits.
 *
 * A message is u32 words: the count, the scales, the integers, 4 or 8 in a word.
 */
import * as build from "../../lang/build.ts";
import { invocationOf } from "../../lang/expr.ts";
import type { Expr, Kernel, Statement } from "../../lang/kernel.ts";
import { philox } from "../../lang/philox.ts";
import { assign, forRange, letIn, Names, store, varIn, when } from "../../lang/statements.ts";
import { blocksMax, blocksOf, inChunk, packingKernel, unpackingKernel, type ChunkInKernel, type CodecKernels, type PackedArray } from "./chunks.ts"; // prettier-ignore

const { add, and, bitcast, cast, divide, equal, f32, i32, less, load, maximum, multiply, multiplyHigh, or, minimum, remainder, select, shiftLeft, shiftRight, subtract, u32 } = build; // prettier-ignore

/** The largest integer: 127 in 8 bits, 7 in 4. */
export type Levels = 127 | 7;

const BLOCK = 64;
const MAGNITUDE = 0x7fff_ffff;
const INFINITE = 0x7f80_0000;
const NAN = 0x7fc0_0000;
/** 2^-100: blocks of less are zeros, since some devices have no numbers near 2^-126. */
const TINY = 0x0d80_0000;
const FRACTION = 0x7f_ffff;
const HIDDEN_BIT = 0x80_0000;

/** Bytes of a message of `count` values. */
export function quantizedBytes(count: number, levels: Levels): number {
  return 4 + 4 * Math.ceil(count / BLOCK) + Math.ceil((count * 4) / perWord(levels));
}

function perWord(levels: Levels): number {
  return levels === 127 ? 4 : 8;
}

/** 8.5 or 4.5 bits a value. Two dispatches, 5 bytes read and written a value in each, and 40 integer operations to pack. */
export function quantizeKernels(array: PackedArray, levels: Levels): CodecKernels {
  const { count, chunksMax } = array;
  const messageWords = Math.ceil(count / BLOCK) + Math.ceil(count / perWord(levels)) + 3 * chunksMax;
  return {
    blockValues: BLOCK,
    messageWords,
    goesOn: false,
    scratch: {},
    pack: [{ kernel: quantizeBlocks(array, messageWords, levels), arrays: ["values", "table", "messages"] }],
    unpack: [{ kernel: dequantizeBlocks(array, messageWords, levels), arrays: ["messages", "table", "sent"] }],
  };
}

/**
 * Packs chunks, an invocation a block.
 *
 * x becomes floor or ceil of |x| / largest * levels with its sign, by Philox words at (place / 4, chunk, operation, rank)
 * under (seed, levels).
 */
function quantizeBlocks(array: PackedArray, messageWords: number, levels: Levels): Kernel {
  const names = new Names();
  const block = invocationOf(blocksMax(array, BLOCK));
  const body = inChunk(names, 1, block, (chunk) => quantizeBlock(names, chunk, block, levels));
  return packingKernel({
    name: `quantize ${array.count} values to ${32 / perWord(levels)} bits`,
    array,
    messageWords,
    blockValues: BLOCK,
    body,
  });
}

function quantizeBlock(names: Names, chunk: ChunkInKernel, number: Expr, levels: Levels): Statement[] {
  const block = letIn(names, "block", subtract(number, chunk.firstBlock));
  const blocks = letIn(names, "blocks", blocksOf(chunk, BLOCK));
  const largest = varIn(names, "largest", u32(0));
  const end = minimum(chunk.count, multiply(add(block.use, i32(1)), i32(BLOCK)));
  const find = forRange(names, "at", multiply(block.use, i32(BLOCK)), end, (at) => [
    assign(largest.use, maximum(largest.use, and(load(0, add(chunk.first, at), "u32"), u32(MAGNITUDE)))),
  ]);
  const isFinite = less(largest.use, u32(INFINITE));
  const isTiny = less(largest.use, u32(TINY));
  const product = bitcast("u32", multiply(bitcast("f32", largest.use), f32(1 / levels)));
  const scale = select(isFinite, select(isTiny, u32(0), product), u32(NAN));
  const whole = letIn(names, "whole", or(and(largest.use, u32(FRACTION)), u32(HIDDEN_BIT)));
  const exponent = letIn(names, "exponent", shiftRight(largest.use, u32(23)));
  const isZero = letIn(names, "none", or(isTiny, build.unary("not", isFinite)));
  const most = { whole: whole.use, exponent: exponent.use, isZero: isZero.use };
  return [
    block.statement,
    blocks.statement,
    largest.statement,
    find,
    whole.statement,
    exponent.statement,
    isZero.statement,
    when(equal(block.use, i32(0)), [store(2, chunk.word, cast("u32", chunk.count))]),
    store(2, add(add(chunk.word, block.use), i32(1)), scale),
    packWords(names, chunk, block.use, blocks.use, most, levels),
  ];
}

/** Stores the integers of a block, of a chunk with so many `blocks`. */
function packWords(
  names: Names,
  chunk: ChunkInKernel,
  block: Expr,
  blocks: Expr,
  most: LargestValue,
  levels: Levels,
): Statement {
  return inWords(names, chunk, block, levels, (word) => {
    const each = perWord(levels);
    const statements: Statement[] = [];
    let packed: Expr = u32(0);
    for (let quad = 0; quad < each / 4; quad++) {
      const counter = cast("u32", add(multiply(word, i32(each / 4)), i32(quad)));
      const randoms = philox([counter, chunk.chunk, chunk.operation, chunk.rank], [chunk.seed, u32(levels)]);
      randoms.forEach((random, lane) => {
        const field = 4 * quad + lane;
        const at = add(multiply(word, i32(each)), i32(field));
        const bits = select(less(at, chunk.count), load(0, add(chunk.first, at), "u32"), u32(0));
        const value = letIn(names, "value", roundedAtRandom(bits, random, most, levels));
        statements.push(value.statement);
        packed = or(packed, fieldOf(value.use, field, levels));
      });
    }
    return [...statements, store(2, add(add(chunk.word, blocks), add(word, i32(1))), packed)];
  });
}

/** `body` for each word of integers of a block, numbered in its chunk. */
function inWords(
  names: Names,
  { count }: ChunkInKernel,
  block: Expr,
  levels: Levels,
  body: (word: Expr) => readonly Statement[],
): Statement {
  const each = perWord(levels);
  const from = multiply(block, i32(BLOCK / each));
  const words = divide(add(count, i32(each - 1)), i32(each));
  return forRange(names, "word", from, minimum(words, add(from, i32(BLOCK / each))), body);
}

/** The largest of a block's values: its digits, its exponent, and whether the block is of zeros. */
interface LargestValue {
  readonly whole: Expr;
  readonly exponent: Expr;
  readonly isZero: Expr;
}

/** The integer next to a value, below or above it by a random word. */
function roundedAtRandom(bits: Expr, word: Expr, { whole, exponent, isZero }: LargestValue, levels: Levels): Expr {
  const magnitude = and(bits, u32(MAGNITUDE));
  const own = shiftRight(magnitude, u32(23));
  const shift = subtract(exponent, own);
  const part = shiftRight(or(and(magnitude, u32(FRACTION)), u32(HIDDEN_BIT)), shift);
  const isNothing = or(or(isZero, equal(own, u32(0))), less(u32(23), shift));
  const scaled = multiply(select(isNothing, u32(0), part), u32(levels));
  const down = divide(scaled, whole);
  const isUp = less(multiplyHigh(and(word, u32(0xffff_ff00)), whole), remainder(scaled, whole));
  const integer = cast("i32", add(down, cast("u32", isUp)));
  return select(less(bits, u32(0x8000_0000)), integer, build.unary("negate", integer));
}

/** An integer in its place in the word; 4 bits are moved up by 8. */
function fieldOf(value: Expr, at: number, levels: Levels): Expr {
  if (levels === 127) return shiftLeft(and(bitcast("u32", value), u32(0xff)), u32(8 * at));
  return shiftLeft(bitcast("u32", add(value, i32(8))), u32(4 * at));
}

/** Unpacks chunks, an invocation a block: integer times scale, as bits. */
function dequantizeBlocks(array: PackedArray, messageWords: number, levels: Levels): Kernel {
  const names = new Names();
  const number = invocationOf(blocksMax(array, BLOCK));
  const each = perWord(levels);
  const body = inChunk(names, 1, number, (chunk) => {
    const block = letIn(names, "block", subtract(number, chunk.firstBlock));
    const scale = letIn(names, "scale", load(0, add(add(chunk.word, block.use), i32(1)), "u32"));
    const first = letIn(names, "integers", add(add(chunk.word, blocksOf(chunk, BLOCK)), i32(1)));
    const unpack = inWords(names, chunk, block.use, levels, (place) => {
      const word = letIn(names, "packed", load(0, add(first.use, place), "u32"));
      const stores = Array.from({ length: each }, (_, lane) => {
        const product = multiply(cast("f32", integerOf(word.use, lane, levels)), bitcast("f32", scale.use));
        const bits = select(less(u32(INFINITE), scale.use), u32(NAN), bitcast("u32", product));
        const at = add(multiply(place, i32(each)), i32(lane));
        return when(less(at, chunk.count), [store(2, add(chunk.first, at), bits)]);
      });
      return [word.statement, ...stores];
    });
    return [block.statement, scale.statement, first.statement, unpack];
  });
  return unpackingKernel({
    name: `dequantize ${array.count} values of ${32 / each} bits`,
    array,
    messageWords,
    blockValues: BLOCK,
    body,
  });
}

function integerOf(word: Expr, lane: number, levels: Levels): Expr {
  if (levels === 127) return shiftRight(bitcast("i32", shiftLeft(word, u32(24 - 8 * lane))), i32(24));
  return subtract(bitcast("i32", and(shiftRight(word, u32(4 * lane)), u32(15))), i32(8));
}
