/**
 * A log as lines of text: `<checksum> <bytes> <json>\n`, readable with `less` and checked to the last byte.
 *
 * The checksum is a CRC-32 over the JSON that continues from the line before, so that a line that is altered, missing
 * or out of place is found, and not only one that is torn.
 */
import { crc32 } from "node:zlib";
import { CorruptDataError } from "../../src/base/errors.ts";

const NEWLINE = 0x0a;
const SPACE = 0x20;
const CHECKSUM_DIGITS = 8;

export interface EncodedLine {
  readonly bytes: Buffer;
  /** What the next line's checksum continues from. */
  readonly checksum: number;
}

/** `value` as a line that follows one whose checksum was `previous`; the first line follows 0. */
export function encodeLine(value: unknown, previous: number): EncodedLine {
  const json = Buffer.from(JSON.stringify(value));
  const checksum = crc32(json, previous);
  const head = `${checksum.toString(16).padStart(CHECKSUM_DIGITS, "0")} ${json.byteLength} `;
  return { bytes: Buffer.concat([Buffer.from(head), json, Buffer.of(NEWLINE)]), checksum };
}

export interface DecodedLines {
  readonly values: readonly unknown[];
  /** Bytes of the lines in `values`; what follows them was torn off while it was being written. */
  readonly bytes: number;
  readonly checksum: number;
}

/**
 * All whole lines of `file`.
 *
 * A last line that lacks its end, or that has holes of zeros, was being written when the machine stopped: it is left
 * out, since nothing was announced on its strength. Every other line that is not what its checksum says is damage.
 * @throws CorruptDataError naming file and line
 */
export function decodeLines(file: string, bytes: Buffer): DecodedLines {
  const values: unknown[] = [];
  let at = 0;
  let checksum = 0;
  while (at < bytes.byteLength) {
    const end = bytes.indexOf(NEWLINE, at);
    const line = bytes.subarray(at, end < 0 ? bytes.byteLength : end);
    if (isTorn(line, end < 0, end + 1 >= bytes.byteLength)) break;
    const place = `${file}, line ${values.length + 1}`;
    if (end < 0) throw new CorruptDataError(`log: ${place}: expected a line end after the record, found none`);
    checksum = checkLine(place, line, checksum);
    values.push(JSON.parse(payload(line).toString()));
    at = end + 1;
  }
  return { values, bytes: at, checksum };
}

/**
 * True for the tail of an append that did not finish. A line that is longer than it says is damaged, not torn: zeros
 * over a line's end join it to the next one, and it had been whole.
 */
function isTorn(line: Buffer, isOpen: boolean, isLast: boolean): boolean {
  if (!isLast && !isOpen) return false;
  const hasHole = line.includes(0);
  if (!hasHole && !isOpen) return false;
  const head = readHead(line);
  return head === null || line.byteLength <= head.start + head.bytes;
}

function readHead(line: Buffer): { checksum: string; bytes: number; start: number } | null {
  const text = line.toString("latin1", 0, CHECKSUM_DIGITS + 12);
  const match = /^([0-9a-f]{8}) (\d{1,9}) /.exec(text);
  if (!match?.[1] || !match[2]) return null;
  return { checksum: match[1], bytes: Number(match[2]), start: match[0].length };
}

function payload(line: Buffer): Buffer {
  return line.subarray(line.indexOf(SPACE, CHECKSUM_DIGITS + 1) + 1);
}

function checkLine(place: string, line: Buffer, previous: number): number {
  const head = readHead(line);
  if (!head) throw new CorruptDataError(`log: ${place}: expected a checksum and a length, found other text`);
  const found = line.byteLength - head.start;
  if (found !== head.bytes) {
    throw new CorruptDataError(`log: ${place}: expected a record of ${head.bytes} bytes, found ${found}`);
  }
  const checksum = crc32(payload(line), previous);
  if (checksum !== Number.parseInt(head.checksum, 16)) {
    throw new CorruptDataError(`log: ${place}: expected checksum ${head.checksum}, found ${checksum.toString(16)}`);
  }
  return checksum;
}
