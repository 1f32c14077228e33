import fc from "fast-check";
import { expect, test } from "vitest";
import { CorruptDataError, OptionError } from "../../../../src/base/errors.ts";
import { readCsv } from "../../../../src/model/data/files/csv.ts";
import { scanCsv } from "../../../../src/model/data/files/csv-scan.ts";

test("columns are read by name and type", () => {
  const text = '\ufeffx,label,"na""me",ok\r\n 1.5 ,3,"a, b",true\r\n\r\n-2e1,-4,"two\nlines",0\r\n';
  const table = readCsv(text, { columns: { 'na"me': "string", x: "float32", label: "int32", ok: "bool" } });
  expect(table.length).toBe(2);
  expect(table.names).toEqual(['na"me', "x", "label", "ok"]);
  expect(table.column("x")).toEqual({ shape: [2], data: Float32Array.of(1.5, -20), dtype: "float32" });
  expect(table.column("label")).toEqual({ shape: [2], data: Int32Array.of(3, -4), dtype: "int32" });
  expect(table.column("ok")).toEqual({ shape: [2], data: Uint32Array.of(1, 0), dtype: "bool" });
  expect(table.strings('na"me')).toEqual(["a, b", "two\nlines"]);
  expect(() => table.column('na"me')).toThrow(/found strings/);
  expect(() => table.strings("x")).toThrow(/found float32/);
  expect(() => table.column("y")).toThrow(OptionError);
});

test("without a header columns are numbered, and stand side by side as a matrix", () => {
  const table = readCsv("10;1\n20;2\n30;nan", { header: false, delimiter: ";" });
  expect(table.names).toEqual(["0", "1"]);
  expect(table.matrix(["1", "0"])).toEqual({
    shape: [3, 2],
    data: Float32Array.of(1, 10, 2, 20, Number.NaN, 30),
    dtype: "float32",
  });
});

test.each([
  ["", CorruptDataError, /at least one row/],
  ["a,b\n1\n", CorruptDataError, /row 2: expected 2 cells, found 1/],
  ["a,b\n1,2\n1,x\n", CorruptDataError, /row 3, column "b": expected float32, found "x"/],
  ['a,b\n"1\n2",3\n', CorruptDataError, /row 2, column "a": expected float32/],
  ['a,b\n"1\n",2\n3,\n', CorruptDataError, /row 4, column "b": expected float32, found ""/],
  ['a\n"1', CorruptDataError, /row 2, column 1: expected a closing quote/],
  ['a,b\n1,"2"3\n', CorruptDataError, /row 2, column 2: expected the end of a cell, found "3\\n"/],
  ['a\n1"2"\n', CorruptDataError, /row 2, column 1: expected the end of a cell/],
  ["a,a\n1,2\n", CorruptDataError, /found "a" twice/],
  ["a\n0x10\n", CorruptDataError, /float32, found "0x10"/],
] as const)("%# a broken table is an error that names the place", (text, kind, message) => {
  expect(() => readCsv(text)).toThrow(kind);
  expect(() => readCsv(text)).toThrow(message);
});

test("numbers that a type does not hold, and wrong options, are refused", () => {
  expect(() => readCsv("a\n1.5", { columns: { a: "int32" } })).toThrow(
    /row 2, column "a": expected int32, found "1.5"/,
  );
  expect(() => readCsv("a\n-1", { columns: { a: "uint32" } })).toThrow(CorruptDataError);
  expect(() => readCsv("a\n2", { columns: { a: "bool" } })).toThrow(CorruptDataError);
  expect(() => readCsv("a\n2", { columns: { b: "bool" } })).toThrow(/column named "b", found \["a"\]/);
  expect(() => readCsv("a", { delimiter: '"' })).toThrow(OptionError);
  expect(() => readCsv("a", { delimiter: ",," })).toThrow(OptionError);
});

test("any cells come back from a text that quotes them", () => {
  const cells = fc.string({ unit: fc.constantFrom("a", ",", '"', "\n", "\r\n", " ", "é"), maxLength: 8 });
  const tables = fc
    .nat(3)
    .chain((width) =>
      fc.array(fc.array(cells, { minLength: width + 1, maxLength: width + 1 }), { minLength: 1, maxLength: 5 }),
    );
  const check = fc.property(tables, fc.constantFrom("\n", "\r\n"), (rows, end) => {
    const quoted = rows.map((row) => row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(","));
    expect(scanCsv(quoted.join(end), ",").rows).toEqual(rows);
  });
  fc.assert(check, { numRuns: 300, seed: 2 });
});
