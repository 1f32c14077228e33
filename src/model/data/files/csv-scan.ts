/** Rows and cells of comma-separated values, by RFC 4180. */
import { CorruptDataError } from "../../../base/errors.ts";
import { excerpt } from "../excerpt.ts";

export interface CsvRows {
  readonly rows: readonly (readonly string[])[];
  /** The line of the text, from 1, on which each row begins. */
  readonly firstLine: readonly number[];
}

/**
 * Cells are separated by `delimiter`, rows by \n or \r\n. A cell that begins with a quote ends with one, and holds quotes
 * doubled; other cells hold no quote. @throws CorruptDataError
 */
export function scanCsv(text: string, delimiter: string): CsvRows {
  const scan = new Scan(text.startsWith("\ufeff") ? text.slice(1) : text, delimiter);
  while (!scan.isAtEnd()) scan.row();
  return scan;
}

class Scan implements CsvRows {
  readonly rows: string[][] = [];
  readonly firstLine: number[] = [];
  readonly #text: string;
  readonly #delimiter: string;
  readonly #plain: RegExp;
  #at = 0;
  #line = 1;

  constructor(text: string, delimiter: string) {
    this.#text = text;
    this.#delimiter = delimiter;
    const escaped = delimiter.replace(/[\\\]^-]/g, "\\$&");
    this.#plain = new RegExp(`[^"\\r\\n${escaped}]*`, "y");
  }

  isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  row(): void {
    const line = this.#line;
    const from = this.#at;
    const cells = [this.#cell(1)];
    while (this.#text.startsWith(this.#delimiter, this.#at)) {
      this.#at += this.#delimiter.length;
      cells.push(this.#cell(cells.length + 1));
    }
    const isEmpty = this.#at === from;
    this.#lineEnd(cells.length);
    if (isEmpty) return;
    this.rows.push(cells);
    this.firstLine.push(line);
  }

  #cell(column: number): string {
    if (this.#text[this.#at] === '"') return this.#quoted(column);
    this.#plain.lastIndex = this.#at;
    const [cell = ""] = this.#plain.exec(this.#text) ?? [];
    this.#at += cell.length;
    return cell;
  }

  #quoted(column: number): string {
    let cell = "";
    const line = this.#line;
    for (let from = this.#at + 1; ;) {
      const to = this.#text.indexOf('"', from);
      if (to < 0)
        throw new CorruptDataError(`readCsv: row ${line}, column ${column}: expected a closing quote, found none`);
      const part = this.#text.slice(from, to);
      cell += part;
      this.#line += part.split("\n").length - 1;
      if (this.#text[to + 1] !== '"') {
        this.#at = to + 1;
        return cell;
      }
      cell += '"';
      from = to + 2;
    }
  }

  #lineEnd(column: number): void {
    if (this.isAtEnd()) return;
    const end = this.#text.startsWith("\r\n", this.#at) ? 2 : this.#text[this.#at] === "\n" ? 1 : 0;
    if (end === 0) {
      const found = excerpt(this.#text.slice(this.#at, this.#at + 10));
      throw new CorruptDataError(
        `readCsv: row ${this.#line}, column ${column}: expected the end of a cell, found ${found}`,
      );
    }
    this.#at += end;
    this.#line += 1;
  }
}
