/** Block tables against sequences of plain numbers: a block is an array, and copies are carried out as told. */
import { assert, expect, test } from "vitest";
import fc from "fast-check";
import { KeyValueBlocks, type Sequence } from "../../../src/compute/memory/key-value-blocks.ts";
import { PAGE_BYTES, Pages, type Allocation } from "../../../src/compute/memory/pages.ts";

const SHAPE = { layers: 2, heads: 4, headSize: 16, elementBytes: 4 };
const SLAB_BYTES = 64 * PAGE_BYTES;

const actions = fc.array(
  fc.record({
    kind: fc.constantFrom("open", "append", "append", "append", "fork", "free"),
    which: fc.nat(),
    tokens: fc.nat(40),
  }),
  { maxLength: 120 },
);

class Model {
  readonly pages = new Pages();
  readonly blocks: KeyValueBlocks;
  readonly blockTokens: number;
  readonly tokensOf = new Map<Sequence, number[]>();
  readonly contents = new Map<Allocation, number[]>();
  #made = 0;

  constructor(blockTokens: number) {
    this.pages.addSlab(SLAB_BYTES);
    this.blockTokens = blockTokens;
    this.blocks = new KeyValueBlocks(this.pages, { ...SHAPE, blockTokens });
  }

  append(sequence: Sequence, tokens: number): void {
    const before = { tokens: sequence.tokens, blocks: [...sequence.blocks], used: this.blocks.blocksUsed };
    const wanted = this.blocks.blocksToAppend(sequence, tokens);
    const appended = this.blocks.append(sequence, tokens);
    if (appended.kind === "outOfMemory") {
      expect(appended.blocksMissing).toBeGreaterThan(0);
      expect(appended.blocksMissing).toBeLessThanOrEqual(wanted);
      expect({ ...sequence, used: this.blocks.blocksUsed }).toEqual(before);
      return;
    }
    expect(this.blocks.blocksUsed).toBe(before.used + wanted);
    const { copy } = appended;
    if (copy) this.contents.set(copy.to, (this.contents.get(copy.from) ?? []).slice(0, copy.tokens));
    for (let token = before.tokens; token < sequence.tokens; token++) {
      const { block, index } = this.blocks.placeOf(sequence, token);
      const content = this.contents.get(block) ?? [];
      this.contents.set(block, content);
      this.tokensOf.get(sequence)?.push(this.#made);
      content[index] = this.#made++;
    }
  }

  play({ kind, which, tokens }: { readonly kind: string; readonly which: number; readonly tokens: number }): void {
    const sequences = [...this.tokensOf.keys()];
    const sequence = sequences[which % Math.max(1, sequences.length)];
    if (kind === "open" || sequence === undefined) {
      this.tokensOf.set(this.blocks.open(), []);
    } else if (kind === "append") {
      this.append(sequence, tokens);
    } else if (kind === "fork") {
      this.tokensOf.set(this.blocks.fork(sequence), [...(this.tokensOf.get(sequence) ?? [])]);
    } else {
      this.blocks.free(sequence);
      this.tokensOf.delete(sequence);
    }
  }

  check(): void {
    const used = new Set<Allocation>();
    for (const [sequence, tokens] of this.tokensOf) {
      expect(sequence.tokens).toBe(tokens.length);
      expect(sequence.blocks).toHaveLength(Math.ceil(tokens.length / this.blockTokens));
      const read = tokens.map((_, token) => {
        const { block, index } = this.blocks.placeOf(sequence, token);
        return this.contents.get(block)?.[index];
      });
      assert.deepEqual(read, tokens);
      for (const block of sequence.blocks) used.add(block);
    }
    expect(this.blocks.blocksUsed).toBe(used.size);
    expect(new Set(this.pages.allocations()).size).toBe(used.size);
  }
}

test("each sequence reads what was appended to it, whatever was forked, copied and freed", () => {
  fc.assert(
    fc.property(actions, fc.constantFrom(1, 4, 16), (list, blockTokens) => {
      const model = new Model(blockTokens);
      for (const action of list) model.play(action);
      model.check();
    }),
    { seed: 41, numRuns: 150, endOnFailure: true },
  );
});

test("freeing all sequences, in any order, gives all pages back", () => {
  fc.assert(
    fc.property(actions, fc.boolean(), (list, isReversed) => {
      const model = new Model(4);
      for (const action of list) model.play(action);
      const sequences = [...model.tokensOf.keys()];
      for (const sequence of isReversed ? sequences.reverse() : sequences) model.blocks.free(sequence);
      expect(model.blocks.blocksUsed).toBe(0);
      expect(model.pages).toMatchObject({ usedBytes: 0, largestFreeBytes: SLAB_BYTES });
    }),
    { seed: 42, numRuns: 80, endOnFailure: true },
  );
});

test("a fork takes no memory, and the last block is copied when one of the two goes on", () => {
  const { blocks } = new Model(16);
  const first = blocks.open();
  blocks.append(first, 20);
  const second = blocks.fork(first);
  expect(blocks.blocksUsed).toBe(2);
  const [whole, last] = first.blocks;
  const appended = blocks.append(second, 1);
  expect(appended).toEqual({ kind: "appended", copy: { from: last, to: second.blocks[1], tokens: 4 } });
  expect(second.blocks[0]).toBe(whole);
  expect(blocks.append(first, 1)).toEqual({ kind: "appended", copy: null });
  expect(blocks.blocksUsed).toBe(3);
});

test("without enough pages an append changes nothing and says how many blocks are missing", () => {
  const { blocks, pages } = new Model(16);
  const blocksMax = SLAB_BYTES / blocks.blockBytes;
  const sequence = blocks.open();
  expect(blocks.append(sequence, (blocksMax + 2) * 16)).toEqual({ kind: "outOfMemory", blocksMissing: 2 });
  expect(pages.usedBytes).toBe(0);
  expect(blocks.append(sequence, blocksMax * 16)).toEqual({ kind: "appended", copy: null });
  expect(blocks.append(sequence, 1)).toEqual({ kind: "outOfMemory", blocksMissing: 1 });
  expect(sequence.tokens).toBe(blocksMax * 16);
});

test("a freed sequence and a token that is not there are refused", () => {
  const { blocks } = new Model(4);
  const sequence = blocks.open();
  expect(() => blocks.placeOf(sequence, 0)).toThrow("expected a token below 0, found 0");
  blocks.free(sequence);
  expect(() => blocks.append(sequence, 1)).toThrow("expected an open sequence, found one that was freed");
});
