/** Tables of comma-separated values: RFC 4180 with quotes, read into typed columns. Errors name row and column. */
import { CorruptDataError, OptionError } from "../../../base/errors.ts";
import { excerpt } from "../excerpt.ts";
import { valuesArray } from "../host-tensor.ts";
import type { HostTensor } from "../host-tensor.ts";
import { scanCsv } from "./csv-scan.ts";

/** What the cells of a column are. */
export type ColumnType = "float32" | "int32" | "uint32" | "bool" | "string";

/** Options of `readCsv`. */
export interface CsvOptions {
  /** The first row has the names. On by default; without, columns are named "0", "1", ... */
  readonly header?: boolean;
  /** One character; a comma by default. */
  readonly delimiter?: string;
  /** Types by name: only these columns are kept, in this order. Without: all, as float32. */
  readonly columns?: Readonly<Record<string, ColumnType>>;
}

type Column = HostTensor | readonly string[];

/** Columns of one length by name. */
export class CsvTable {
  /** Rows, without the header. */
  readonly length: number;
  readonly names: readonly string[];
  readonly #columns: ReadonlyMap<string, Column>;

  constructor(length: number, columns: ReadonlyMap<string, Column>) {
    this.length = length;
    this.names = [...columns.keys()];
    this.#columns = columns;
  }

  /** A column of numbers or bools, [rows]. @throws OptionError */
  column(name: string): HostTensor {
    const column = this.#columnOf(name);
    if (!("dtype" in column))
      throw new OptionError(`CsvTable: expected ${excerpt(name, 40)} to hold numbers, found strings`);
    return column;
  }

  /** A column of strings. @throws OptionError */
  strings(name: string): readonly string[] {
    const column = this.#columnOf(name);
    if ("dtype" in column)
      throw new OptionError(`CsvTable: expected ${excerpt(name, 40)} to hold strings, found ${column.dtype}`);
    return column;
  }

  /** Columns side by side: float32 [rows, names.length]. @throws OptionError */
  matrix(names: readonly string[]): HostTensor {
    const columns = names.map((name) => this.column(name));
    const data = new Float32Array(this.length * names.length);
    columns.forEach((column, at) => {
      for (let row = 0; row < this.length; row++) data[row * names.length + at] = column.data[row] ?? 0;
    });
    return { shape: [this.length, names.length], data, dtype: "float32" };
  }

  #columnOf(name: string): Column {
    const column = this.#columns.get(name);
    if (column === undefined) {
      throw new OptionError(`CsvTable: expected one of ${excerpt(this.names, 200)}, found ${excerpt(name)}`);
    }
    return column;
  }
}

/**
 * A table. Cells of numbers are decimal numbers with spaces around them or none; "true", "false", "1" and "0" are bools.
 * Rows without a character in them are left out.
 * @throws CorruptDataError naming row (from 1, the header included) and column; OptionError for columns that are not there
 */
export function readCsv(text: string, options: CsvOptions = {}): CsvTable {
  const { header = true, delimiter = "," } = options;
  if (!/^[^"\r\n]$/.test(delimiter)) {
    throw new OptionError(`readCsv: expected a delimiter of one character, found ${excerpt(delimiter)}`);
  }
  const { rows, firstLine } = scanCsv(text, delimiter);
  const [head] = rows;
  if (head === undefined) throw new CorruptDataError("readCsv: expected at least one row, found none");
  const names = header ? head : head.map((_, at) => String(at));
  const repeated = names.find((name, at) => names.indexOf(name) !== at);
  if (repeated !== undefined) {
    throw new CorruptDataError(`readCsv: expected different names of columns, found ${excerpt(repeated)} twice`);
  }
  const body = header ? rows.slice(1) : rows;
  const rowOf = (at: number): number => firstLine[at + (header ? 1 : 0)] ?? 0;
  body.forEach((cells, at) => {
    if (cells.length !== names.length) {
      throw new CorruptDataError(`readCsv: row ${rowOf(at)}: expected ${names.length} cells, found ${cells.length}`);
    }
  });
  const types = options.columns ?? Object.fromEntries(names.map((name) => [name, "float32" as const]));
  const columns = new Map<string, Column>();
  // Names that look like numbers would come first from an object.
  const wanted = options.columns === undefined ? names : Object.keys(types);
  for (const name of wanted) {
    const at = names.indexOf(name);
    if (at < 0)
      throw new OptionError(`readCsv: expected a column named ${excerpt(name)}, found ${excerpt(names, 200)}`);
    const cells = body.map((row) => row[at] ?? "");
    columns.set(
      name,
      columnOf(cells, types[name] ?? "float32", (row) => `row ${rowOf(row)}, column ${excerpt(name, 40)}`),
    );
  }
  return new CsvTable(body.length, columns);
}

function columnOf(cells: readonly string[], type: ColumnType, place: (row: number) => string): Column {
  if (type === "string") return cells;
  const data = valuesArray(type, cells.length);
  cells.forEach((cell, row) => {
    const value = numberOf(cell.trim(), type);
    if (value === null) {
      throw new CorruptDataError(`readCsv: ${place(row)}: expected ${type}, found ${excerpt(cell, 40)}`);
    }
    data[row] = value;
  });
  return { shape: [cells.length], data, dtype: type };
}

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const SPECIAL: ReadonlyMap<string, number> = new Map([
  ["nan", Number.NaN],
  ["inf", Infinity],
  ["+inf", Infinity],
  ["-inf", -Infinity],
]);
const BOOLS: ReadonlyMap<string, number> = new Map([
  ["true", 1],
  ["1", 1],
  ["false", 0],
  ["0", 0],
]);

function numberOf(cell: string, type: Exclude<ColumnType, "string">): number | null {
  if (type === "bool") return BOOLS.get(cell.toLowerCase()) ?? null;
  if (type === "float32") return DECIMAL.test(cell) ? Number(cell) : (SPECIAL.get(cell.toLowerCase()) ?? null);
  const value = DECIMAL.test(cell) ? Number(cell) : Number.NaN;
  const [low, high] = type === "int32" ? [-0x80000000, 0x7fffffff] : [0, 0xffffffff];
  return Number.isInteger(value) && value >= low && value <= high ? value : null;
}
