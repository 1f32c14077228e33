/**
 * The largest values with their places: the bytes of `network`'s `topKCodec`, by integers alone. Values are bound as their
 * bits; a value's *size* is the bits of its magnitude, at most those of infinity, so that NaN counts as the largest.
 *
 * Selection is by radix: from the upper digits of the size down, each round counts the values that agree with what is
 * known of the threshold, by their next digit, and fixes that digit. Then blocks tell how many of their values are above
 * the threshold and how many are equal, from which follows where each of them writes. No atomics; of equal sizes the
 * first ones are taken; the same bytes everywhere.
 */
import * as build from "../../lang/build.ts";
import { invocationOf } from "../../lang/expr.ts";
import type { Expr, Kernel, Statement } from "../../lang/kernel.ts";
import { arrayIn, assign, forRange, letIn, Names, store, varIn, when } from "../../lang/statements.ts";
import { blocksMax, blocksOf, bound, chunkOf, chunksIn, inChunk, tableWords, type ChunkInKernel, type CodecKernels, type KernelCall, type PackedArray } from "./chunks.ts"; // prettier-ignore

const { add, and, cast, divide, equal, i32, less, lessEqual, load, minimum, multiply, or, remainder, shiftLeft, shiftRight, subtract, u32, xor } = build; // prettier-ignore

/** Values that an invocation counts. */
const BLOCK = 1024;
const DIGIT_BITS = 4;
const DIGITS = 2 ** DIGIT_BITS;
/** Rounds by the bits below their digit; sizes have 31. */
const SHIFTS = [28, 24, 20, 16, 12, 8, 4, 0];
const MAGNITUDE = 0x7fff_ffff;
const INFINITE = 0x7f80_0000;
/** Words of a message before its places. */
const HEAD_WORDS = 2;

/** How many of `count` values are sent. */
export function keptOf(count: number, fraction: number): number {
  return Math.min(count, Math.max(1, Math.round(fraction * count)));
}

/** 8 bytes for each of `fraction` of the values. 27 dispatches to pack, which read each value ten times. */
export function topKKernels(array: PackedArray, fraction: number): CodecKernels {
  const { count, chunksMax } = array;
  const blocks = blocksMax(array, BLOCK);
  const messageWords = Math.ceil(2 * fraction * count) + 2 * (HEAD_WORDS + 1) * chunksMax;
  const lengths: Lengths = { array, blocks, messageWords };
  const rounds = SHIFTS.flatMap((shift): KernelCall[] => [
    { kernel: countDigits(lengths, shift), arrays: ["values", "table", "threshold", "counts"] },
    { kernel: sumCounts(lengths), arrays: ["counts", "table", "totals"] },
    { kernel: chooseDigit(lengths, shift), arrays: ["totals", "table", "threshold"] },
  ]);
  return {
    blockValues: BLOCK,
    messageWords,
    goesOn: false,
    scratch: { threshold: 2 * chunksMax, counts: DIGITS * blocks, totals: DIGITS * chunksMax },
    pack: [
      ...rounds,
      { kernel: tally(lengths), arrays: ["values", "table", "threshold", "counts"] },
      { kernel: placeBlocks(lengths), arrays: ["counts", "table"] },
      { kernel: writeLargest(lengths), arrays: ["values", "table", "threshold", "counts", "messages"] },
    ],
    unpack: [
      { kernel: clear(lengths), arrays: ["sent"] },
      { kernel: scatter(lengths), arrays: ["messages", "table", "sent"] },
    ],
  };
}

interface Lengths {
  readonly array: PackedArray;
  readonly blocks: number;
  readonly messageWords: number;
}

/** A kernel with an invocation for each block, whose first bindings are values or messages, and the table. */
function blockKernel(
  name: string,
  { array, blocks }: Lengths,
  [first, ...others]: readonly Kernel["bindings"][number][],
  body: (names: Names, chunk: ChunkInKernel, block: Expr) => readonly Statement[],
): Kernel {
  const names = new Names();
  const block = invocationOf(blocks);
  return {
    name: `top-k of ${array.count} values: ${name}`,
    bindings: [...(first ? [first] : []), bound(tableWords(array), "read"), ...others],
    invocations: blocks,
    keepsLoops: true,
    body: [inChunk(names, 1, block, (chunk) => body(names, chunk, block))],
  };
}

/** `body` for each value of a block: its place in the chunk, its bits and its size. */
function forValues(
  names: Names,
  chunk: ChunkInKernel,
  block: Expr,
  body: (place: Expr, bits: Expr, size: Expr) => readonly Statement[],
): Statement {
  const from = multiply(subtract(block, chunk.firstBlock), i32(BLOCK));
  return forRange(names, "at", from, minimum(chunk.count, add(from, i32(BLOCK))), (at) => {
    const bits = letIn(names, "bits", load(0, add(chunk.first, at), "u32"));
    const size = letIn(names, "size", minimum(and(bits.use, u32(MAGNITUDE)), u32(INFINITE)));
    return [bits.statement, size.statement, ...body(at, bits.use, size.use)];
  });
}

/** What is known of a chunk's threshold: its bits so far, and how many of the values that agree with them are sent. */
function thresholdOf(binding: number, { at }: ChunkInKernel): { readonly size: Expr; readonly ties: Expr } {
  const first = multiply(at, i32(2));
  return { size: load(binding, first, "u32"), ties: load(binding, add(first, i32(1)), "u32") };
}

/** Bindings: values, table, threshold, counts [blocks, DIGITS]: of the values that agree so far, by their next digit. */
function countDigits(lengths: Lengths, shift: number): Kernel {
  const bindings = [
    bound(lengths.array.count, "read"),
    bound(2 * lengths.array.chunksMax, "read"),
    bound(DIGITS * lengths.blocks, "write"),
  ];
  return blockKernel(`counts of the digit at ${shift}`, lengths, bindings, (names, chunk, block) => {
    const counts = arrayIn(names, "counts", "u32", DIGITS);
    const known = letIn(names, "known", thresholdOf(2, chunk).size);
    const count = forValues(names, chunk, block, (_, __, size) => {
      const digit = letIn(names, "digit", cast("i32", and(shiftRight(size, u32(shift)), u32(DIGITS - 1))));
      const one = counts.store(digit.use, add(counts.load(digit.use), u32(1)));
      if (isFirst(shift)) return [digit.statement, one]; // There is nothing above it, and nothing known.
      const agrees = equal(shiftRight(xor(size, known.use), u32(shift + DIGIT_BITS)), u32(0));
      return [digit.statement, when(agrees, [one])];
    });
    const write = forRange(names, "each", i32(0), i32(DIGITS), (each) => [
      store(3, add(multiply(block, i32(DIGITS)), each), counts.load(each)),
    ]);
    return [counts.statement, known.statement, count, write];
  });
}

function isFirst(shift: number): boolean {
  return shift === SHIFTS[0];
}

/** Bindings: counts, table, totals [chunks, DIGITS]. An invocation a total. */
function sumCounts({ array, blocks }: Lengths): Kernel {
  const names = new Names();
  const invocations = DIGITS * array.chunksMax;
  const number = invocationOf(invocations);
  const digit = remainder(number, i32(DIGITS));
  const chunk = chunkOf(1, divide(number, i32(DIGITS)));
  const sum = varIn(names, "sum", u32(0));
  const end = add(chunk.firstBlock, blocksOf(chunk, BLOCK));
  const loop = forRange(names, "block", chunk.firstBlock, end, (block) => [
    assign(sum.use, add(sum.use, load(0, add(multiply(block, i32(DIGITS)), digit), "u32"))),
  ]);
  return {
    name: `top-k of ${array.count} values: totals`,
    bindings: [bound(DIGITS * blocks, "read"), bound(tableWords(array), "read"), bound(invocations, "write")],
    invocations,
    keepsLoops: true,
    body: [when(less(chunk.at, chunksIn(1)), [sum.statement, loop, store(2, number, sum.use)])],
  };
}

/** Bindings: totals, table, threshold. An invocation a chunk: from the largest digit down, as long as all are sent. */
function chooseDigit({ array }: Lengths, shift: number): Kernel {
  const names = new Names();
  const { chunksMax } = array;
  const chunk = chunkOf(1, invocationOf(chunksMax));
  const { size, ties } = thresholdOf(2, chunk);
  const left = varIn(names, "left", isFirst(shift) ? cast("u32", chunk.extent) : ties);
  const chosen = varIn(names, "chosen", i32(-1));
  const loop = forRange(names, "step", i32(0), i32(DIGITS), (step) => {
    const digit = subtract(i32(DIGITS - 1), step);
    const total = letIn(names, "total", load(0, add(multiply(chunk.at, i32(DIGITS)), digit), "u32"));
    const isHere = lessEqual(left.use, total.use);
    return [
      when(less(chosen.use, i32(0)), [
        total.statement,
        when(isHere, [assign(chosen.use, digit)]),
        when(less(chosen.use, i32(0)), [assign(left.use, subtract(left.use, total.use))]),
      ]),
    ];
  });
  const known = isFirst(shift) ? u32(0) : size;
  const next = or(known, shiftLeft(cast("u32", chosen.use), u32(shift)));
  const first = multiply(chunk.at, i32(2));
  return {
    name: `top-k of ${array.count} values: the digit at ${shift}`,
    bindings: [
      bound(DIGITS * chunksMax, "read"),
      bound(tableWords(array), "read"),
      bound(2 * chunksMax, isFirst(shift) ? "write" : "readWrite"),
    ],
    invocations: chunksMax,
    keepsLoops: true,
    body: [
      when(less(chunk.at, chunksIn(1)), [
        left.statement,
        chosen.statement,
        loop,
        store(2, first, next),
        store(2, add(first, i32(1)), left.use),
      ]),
    ],
  };
}

/** Bindings: values, table, threshold, counts: of each block how many are above the threshold, and how many equal. */
function tally(lengths: Lengths): Kernel {
  const bindings = [
    bound(lengths.array.count, "read"),
    bound(2 * lengths.array.chunksMax, "read"),
    bound(DIGITS * lengths.blocks, "write"),
  ];
  return blockKernel("blocks", lengths, bindings, (names, chunk, block) => {
    const threshold = letIn(names, "threshold", thresholdOf(2, chunk).size);
    const [above, ties] = [varIn(names, "above", u32(0)), varIn(names, "ties", u32(0))];
    const count = forValues(names, chunk, block, (_, __, size) => [
      assign(above.use, add(above.use, cast("u32", less(threshold.use, size)))),
      assign(ties.use, add(ties.use, cast("u32", equal(size, threshold.use)))),
    ]);
    const first = multiply(block, i32(2));
    const stores = [store(3, first, above.use), store(3, add(first, i32(1)), ties.use)];
    return [threshold.statement, above.statement, ties.statement, count, ...stores];
  });
}

/** Bindings: counts, table. An invocation a chunk: what blocks have becomes what those before them have. */
function placeBlocks({ array, blocks }: Lengths): Kernel {
  const names = new Names();
  const { chunksMax } = array;
  const chunk = chunkOf(1, invocationOf(chunksMax));
  const [above, ties] = [varIn(names, "above", u32(0)), varIn(names, "ties", u32(0))];
  const end = add(chunk.firstBlock, blocksOf(chunk, BLOCK));
  const loop = forRange(names, "block", chunk.firstBlock, end, (block) => {
    const first = multiply(block, i32(2));
    const second = add(first, i32(1));
    const [own, equals] = [letIn(names, "own", load(0, first, "u32")), letIn(names, "equals", load(0, second, "u32"))];
    return [
      own.statement,
      equals.statement,
      store(0, first, above.use),
      store(0, second, ties.use),
      assign(above.use, add(above.use, own.use)),
      assign(ties.use, add(ties.use, equals.use)),
    ];
  });
  return {
    name: `top-k of ${array.count} values: places of blocks`,
    bindings: [bound(DIGITS * blocks, "readWrite"), bound(tableWords(array), "read")],
    invocations: chunksMax,
    keepsLoops: true,
    body: [when(less(chunk.at, chunksIn(1)), [above.statement, ties.statement, loop])],
  };
}

/** Bindings: values, table, threshold, counts before each block, messages. */
function writeLargest(lengths: Lengths): Kernel {
  const bindings = [
    bound(lengths.array.count, "read"),
    bound(2 * lengths.array.chunksMax, "read"),
    bound(DIGITS * lengths.blocks, "read"),
    bound(lengths.messageWords, "write"),
  ];
  return blockKernel("messages", lengths, bindings, (names, chunk, block) => {
    const known = thresholdOf(2, chunk);
    const [threshold, most] = [letIn(names, "threshold", known.size), letIn(names, "most", known.ties)];
    const above = varIn(names, "above", load(3, multiply(block, i32(2)), "u32"));
    const ties = varIn(names, "ties", load(3, add(multiply(block, i32(2)), i32(1)), "u32"));
    const places = letIn(names, "places", add(chunk.word, i32(HEAD_WORDS)));
    const write = forValues(names, chunk, block, (place, bits, size) => {
      const isTie = letIn(names, "tie", equal(size, threshold.use));
      const isSent = or(less(threshold.use, size), and(isTie.use, less(ties.use, most.use)));
      const at = add(places.use, cast("i32", add(above.use, minimum(ties.use, most.use))));
      return [
        isTie.statement,
        when(isSent, [store(4, at, cast("u32", place)), store(4, add(at, chunk.extent), bits)]),
        assign(above.use, add(above.use, cast("u32", less(threshold.use, size)))),
        assign(ties.use, add(ties.use, cast("u32", isTie.use))),
      ];
    });
    const head = when(equal(block, chunk.firstBlock), [
      store(4, chunk.word, cast("u32", chunk.count)),
      store(4, add(chunk.word, i32(1)), cast("u32", chunk.extent)),
    ]);
    return [threshold.statement, most.statement, above.statement, ties.statement, places.statement, head, write];
  });
}

/** Bindings: values, u32 [count]: all zeros. */
function clear({ array: { count } }: Lengths): Kernel {
  return {
    name: `top-k of ${count} values: zeros`,
    bindings: [bound(count, "write")],
    invocations: count,
    body: [store(0, invocationOf(count), u32(0))],
  };
}

/** Bindings: messages, table, values: those that were sent, at their places; a place outside of its chunk is none. */
function scatter(lengths: Lengths): Kernel {
  const bindings = [bound(lengths.messageWords, "read"), bound(lengths.array.count, "write")];
  return blockKernel("unpacked", lengths, bindings, (names, chunk, block) => {
    const from = multiply(subtract(block, chunk.firstBlock), i32(BLOCK));
    const end = minimum(chunk.extent, add(from, i32(BLOCK)));
    const loop = forRange(names, "at", from, end, (at) => {
      const word = letIn(names, "entry", add(add(chunk.word, i32(HEAD_WORDS)), at));
      const place = letIn(names, "place", load(0, word.use, "u32"));
      const value = load(0, add(word.use, chunk.extent), "u32");
      const isIn = less(place.use, cast("u32", chunk.count));
      return [word.statement, place.statement, when(isIn, [store(2, add(chunk.first, cast("i32", place.use)), value)])];
    });
    return [loop];
  });
}
