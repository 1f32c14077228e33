import { expect, test } from "vitest";
import { Code, writeSigned, writeUnsigned } from "../../../../src/compute/lang/wasm/code.ts";
import { assembleModule } from "../../../../src/compute/lang/wasm/module.ts";
import { OPCODES } from "../../../../src/compute/lang/wasm/opcodes.ts";
import type { WasmType } from "../../../../src/compute/lang/wasm/code.ts";

/** The function that `write` writes, of so many i32. */
async function made(params: readonly WasmType[], write: (code: Code) => void): Promise<(...args: number[]) => number> {
  const code = new Code(params);
  write(code);
  const functions = [{ code, results: ["i32"] as const }];
  const bytes = assembleModule({
    sharedPagesMax: undefined,
    imports: [],
    functions,
    exported: { name: "f", index: 0 },
  });
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { instance } = await WebAssembly.instantiate(bytes, { env: { memory } });
  return instance.exports["f"] as (...args: number[]) => number;
}

test.each([
  [0, [0]],
  [127, [0x7f]],
  [128, [0x80, 0x01]],
  [624_485, [0xe5, 0x8e, 0x26]],
  [2 ** 32 - 1, [0xff, 0xff, 0xff, 0xff, 0x0f]],
])("the unsigned number %d is written as LEB128", (value, expected) => {
  const bytes: number[] = [];
  writeUnsigned(bytes, value);
  expect(bytes).toEqual(expected);
});

test.each([
  [0, [0]],
  [63, [0x3f]],
  [64, [0xc0, 0x00]],
  [-1, [0x7f]],
  [-64, [0x40]],
  [-65, [0xbf, 0x7f]],
  [-123_456, [0xc0, 0xbb, 0x78]],
  [-(2 ** 31), [0x80, 0x80, 0x80, 0x80, 0x78]],
])("the signed number %d is written as LEB128", (value, expected) => {
  const bytes: number[] = [];
  writeSigned(bytes, value);
  expect(bytes).toEqual(expected);
});

test("constants keep their value on the way through a module", async () => {
  for (const value of [0, 1, -1, 63, 64, -64, -65, 127, 128, 2 ** 31 - 1, -(2 ** 31)]) {
    const f = await made([], (code) => code.i32(value));
    expect(f()).toBe(value);
  }
});

test("a loop runs as long as its condition holds, and not at all where it never does", async () => {
  const sum = await made(["i32"], (code) => {
    const total = code.local("i32");
    code.while(
      () => code.get(0),
      () => {
        code.get(total);
        code.get(0);
        code.op("i32.add");
        code.set(total);
        code.get(0);
        code.i32(1);
        code.op("i32.sub");
        code.set(0);
      },
    );
    code.get(total);
  });
  expect([sum(0), sum(1), sum(10)]).toEqual([0, 1, 55]);
});

test("lanes are loaded, shuffled and stored where they are asked for", async () => {
  const f = await made([], (code) => {
    code.i32(64);
    code.lanes([1, 2, 3, 4]);
    code.lanes([5, 6, 7, 8]);
    code.shuffle([3, 4, 0, 7]);
    code.memory("v128.store", 16);
    code.i32(80);
    code.lanes([9, 9, 9, 9]);
    code.memoryLane("v128.store32_lane", 4, 2);
    code.i32(80);
    code.memory("v128.load");
    code.lane("i32x4.extract_lane", 1);
  });
  expect(f()).toBe(9);
});

test("no two instructions have the same opcode", () => {
  const codes = Object.values(OPCODES);
  expect(new Set(codes).size).toBe(codes.length);
});
