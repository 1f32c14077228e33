/**
 * Keys and values of attention in blocks, for inference: a sequence is a table of blocks that lie anywhere (Kwon et al.,
 * "Efficient Memory Management for Large Language Model Serving with PagedAttention", SOSP 2023, section 4).
 *
 * Bookkeeping alone: what a kernel writes into a block, and copies of blocks, are the caller's to carry out.
 */
import { assert } from "../../base/assert.ts";
import type { Allocation } from "./allocation.ts";
import type { Pages } from "./pages.ts";

export interface KeyValueShape {
  readonly layers: number;
  readonly heads: number;
  readonly headSize: number;
  /** Tokens that a block holds, in all layers. */
  readonly blockTokens: number;
  readonly elementBytes: number;
}

/** Tokens of a sequence, in order, `blockTokens` to a block; blocks may be other sequences' too. */
export interface Sequence {
  readonly tokens: number;
  /** Their places change when the pages are compacted. */
  readonly blocks: readonly Allocation[];
}

/** A block that was shared and is to be written to: the first `tokens` tokens are to be copied. */
export interface BlockCopy {
  readonly from: Allocation;
  readonly to: Allocation;
  readonly tokens: number;
}

/** `outOfMemory`: nothing has changed; `blocksMissing` more blocks would have to be free. */
export type Appended =
  | { readonly kind: "appended"; readonly copy: BlockCopy | null }
  | { readonly kind: "outOfMemory"; readonly blocksMissing: number };

interface Table extends Sequence {
  tokens: number;
  readonly blocks: Allocation[];
}

export class KeyValueBlocks {
  readonly #pages: Pages;
  readonly #shape: KeyValueShape;
  readonly #tables = new Set<Table>();
  /** How many sequences have a block. */
  readonly #owners = new Map<Allocation, number>();

  constructor(pages: Pages, shape: KeyValueShape) {
    for (const [name, size] of Object.entries(shape)) {
      assert(Number.isInteger(size) && size >= 1, `KeyValueBlocks: expected ${name} of 1 or more, found ${size}`);
    }
    this.#pages = pages;
    this.#shape = shape;
  }

  /** Of a block: keys and values, [2, layers, heads, blockTokens, headSize]. */
  get blockBytes(): number {
    const { layers, heads, headSize, blockTokens, elementBytes } = this.#shape;
    return 2 * layers * heads * headSize * blockTokens * elementBytes;
  }

  /** Blocks in use, each once however many sequences share it. */
  get blocksUsed(): number {
    return this.#owners.size;
  }

  /** A sequence without tokens. */
  open(): Sequence {
    const table: Table = { tokens: 0, blocks: [] };
    this.#tables.add(table);
    return table;
  }

  /** A sequence with the same tokens. Takes no memory: blocks are shared until one of them is written to. */
  fork(sequence: Sequence): Sequence {
    const { tokens, blocks } = this.#tableOf(sequence, "fork");
    const table: Table = { tokens, blocks: [...blocks] };
    for (const block of blocks) this.#owners.set(block, this.#ownersOf(block) + 1);
    this.#tables.add(table);
    return table;
  }

  /** Room for `tokens` more. If the last block is shared and has room, the sequence gets a copy of it for its own. */
  append(sequence: Sequence, tokens: number): Appended {
    const table = this.#tableOf(sequence, "append");
    assert(Number.isInteger(tokens) && tokens >= 0, `KeyValueBlocks.append: expected tokens, found ${tokens}`);
    const wanted = this.blocksToAppend(sequence, tokens);
    const taken = this.#takeBlocks(wanted);
    if (taken.length < wanted) {
      for (const block of taken) this.#pages.give(block);
      return { kind: "outOfMemory", blocksMissing: wanted - taken.length };
    }
    for (const block of taken) this.#owners.set(block, 1);
    const copy = this.#writesShared(table, tokens) ? this.#replaceLast(table, taken.shift()) : null;
    table.blocks.push(...taken);
    table.tokens += tokens;
    return { kind: "appended", copy };
  }

  /** Blocks that have to be free for `append` with the same arguments. */
  blocksToAppend(sequence: Sequence, tokens: number): number {
    const table = this.#tableOf(sequence, "blocksToAppend");
    const blocks = Math.ceil((table.tokens + tokens) / this.#shape.blockTokens);
    return blocks - table.blocks.length + (this.#writesShared(table, tokens) ? 1 : 0);
  }

  /** Ends a sequence: blocks that no other one has are given back. */
  free(sequence: Sequence): void {
    const table = this.#tableOf(sequence, "free");
    for (const block of table.blocks) this.#release(block);
    this.#tables.delete(table);
  }

  /** Where a token's keys and values are: its block, and the place in it. */
  placeOf(sequence: Sequence, token: number): { readonly block: Allocation; readonly index: number } {
    const { tokens, blocks } = this.#tableOf(sequence, "placeOf");
    const block = blocks[Math.floor(token / this.#shape.blockTokens)];
    const isThere = block !== undefined && token >= 0 && token < tokens;
    assert(isThere, `KeyValueBlocks.placeOf: expected a token below ${tokens}, found ${token}`);
    return { block, index: token % this.#shape.blockTokens };
  }

  #writesShared({ tokens, blocks }: Sequence, added: number): boolean {
    const last = blocks.at(-1);
    return added > 0 && last !== undefined && tokens % this.#shape.blockTokens !== 0 && this.#ownersOf(last) > 1;
  }

  /** As many as there are of `count`. */
  #takeBlocks(count: number): Allocation[] {
    const taken: Allocation[] = [];
    while (taken.length < count) {
      const block = this.#pages.take(this.blockBytes, "cache");
      if (block === undefined) break;
      taken.push(block);
    }
    return taken;
  }

  #replaceLast(table: Table, to: Allocation | undefined): BlockCopy {
    const from = table.blocks.pop();
    assert(from !== undefined && to !== undefined, "KeyValueBlocks: expected a block to copy and one for it");
    table.blocks.push(to);
    this.#release(from);
    return { from, to, tokens: table.tokens % this.#shape.blockTokens };
  }

  #release(block: Allocation): void {
    const owners = this.#ownersOf(block) - 1;
    if (owners > 0) {
      this.#owners.set(block, owners);
      return;
    }
    this.#owners.delete(block);
    this.#pages.give(block);
  }

  #ownersOf(block: Allocation): number {
    return this.#owners.get(block) ?? 0;
  }

  #tableOf(sequence: Sequence, operation: string): Table {
    const table = sequence as Table;
    assert(this.#tables.has(table), `KeyValueBlocks.${operation}: expected an open sequence, found one that was freed`);
    return table;
  }
}
