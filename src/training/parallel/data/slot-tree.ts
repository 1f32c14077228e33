/**
 * The order in which slots' gradients are added up: a binary tree over the numbers of slots. A *block* is a node of it, 2^k
 * slots from a multiple of 2^k on; two halves are added, and what is left of a number of slots that is no power of two is
 * added from the left. So a step's sum has the same bits whoever computes what, where devices compute the same bits: a
 * member sends one sum for each block that its slots make, and owners go on from there.
 */

/** Slots [from, from + size). */
export interface SlotBlock {
  readonly from: number;
  /** A power of two. */
  readonly size: number;
}

/** A block, and the sum of its slots' gradients. */
export interface BlockSum extends SlotBlock {
  readonly values: Float32Array<ArrayBuffer>;
}

/** The fewest blocks that `slots` make, in order. */
export function slotBlocks(slots: readonly number[]): SlotBlock[] {
  return joined(
    slots.map((from) => ({ from, size: 1 })),
    ({ from, size }) => ({ from, size: 2 * size }),
  );
}

/** The fewest sums that `sums` make, in order. Adds in place, into the left one of two. */
export function joinBlocks(sums: readonly BlockSum[]): BlockSum[] {
  return joined(sums, (left, right) => ({ ...left, size: 2 * left.size, values: add(left.values, right.values) }));
}

/** All of `sums` in one, in place; null for none. */
export function totalOf(sums: readonly BlockSum[]): Float32Array<ArrayBuffer> | null {
  const [first, ...rest] = joinBlocks(sums);
  return first === undefined ? null : rest.reduce((total, { values }) => add(total, values), first.values);
}

/** A member's sums, growing slot by slot: slots come in ascending order. */
export class BlockSums {
  readonly #count: number;
  readonly #sums: BlockSum[] = [];

  /** `count`: elements of a gradient. */
  constructor(count: number) {
    this.#count = count;
  }

  /** In order. */
  get sums(): readonly BlockSum[] {
    return this.#sums;
  }

  /**
   * The next slot. Its gradient may come piece by piece: the function returned adds elements [from, to) of it, `weight`
   * times, to the sum that they belong to.
   */
  open(slot: number, weight: number): (gradient: Float32Array, from: number, to: number) => void {
    const halves: Float32Array<ArrayBuffer>[] = [];
    let block: SlotBlock = { from: slot, size: 1 };
    for (let last = this.#sums.at(-1); last && areHalves(last, block); last = this.#sums.at(-1)) {
      halves.push(last.values);
      block = { from: last.from, size: 2 * last.size };
      this.#sums.pop();
    }
    const values = halves.at(-1) ?? new Float32Array(this.#count);
    this.#sums.push({ ...block, values });
    const [least, ...larger] = halves;
    return (gradient, from, to) => {
      if (least === undefined) for (let i = from; i < to; i++) values[i] = weight * (gradient[i] as number);
      else {
        addWeighted(least, gradient, weight, from, to);
        larger.reduce((sum, half) => add(half, sum, from, to), least);
      }
    };
  }
}

function joined<Block extends SlotBlock>(
  blocks: readonly Block[],
  join: (left: Block, right: Block) => Block,
): Block[] {
  const out: Block[] = [];
  for (const block of [...blocks].sort((a, b) => a.from - b.from)) {
    let last = block;
    for (let left = out.at(-1); left && areHalves(left, last); left = out.at(-1)) {
      last = join(left, last);
      out.pop();
    }
    out.push(last);
  }
  return out;
}

function areHalves(left: SlotBlock, right: SlotBlock): boolean {
  return left.size === right.size && left.from + left.size === right.from && left.from % (2 * left.size) === 0;
}

/** Into `sum`. */
function add<Floats extends Float32Array>(sum: Floats, values: Float32Array, from = 0, to = sum.length): Floats {
  for (let i = from; i < to; i++) sum[i] = (sum[i] as number) + (values[i] as number);
  return sum;
}

/** What is added is rounded first, as it is where it stands alone. */
function addWeighted(sum: Float32Array, values: Float32Array, weight: number, from: number, to: number): void {
  for (let i = from; i < to; i++) sum[i] = (sum[i] as number) + Math.fround(weight * (values[i] as number));
}
