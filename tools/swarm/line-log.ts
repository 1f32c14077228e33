/** The run's lines on disk: all of them in `DIR/lines.jsonl`, and in the file of `--json` those that were written while it was named. */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import type { RunLine } from "../../src/network/wire/run-line.ts";

export interface LineLogOptions {
  readonly directory: string;
  readonly json: string | null;
  /** Goes on with `DIR/lines.jsonl`. */
  readonly isResumed: boolean;
  /** Goes on with the file of `--json`, which already holds the run's earlier part. */
  readonly goesOn: boolean;
}

export class LineLog {
  readonly #files: number[];

  constructor(options: LineLogOptions) {
    const { directory, json, isResumed, goesOn } = options;
    if (json !== null) mkdirSync(dirname(json), { recursive: true });
    this.#files = [openSync(pathIn(directory), isResumed ? "a" : "w")];
    if (json !== null) this.#files.push(openSync(json, goesOn ? "a" : "w"));
  }

  /** Handed to the system before this returns: a driver that is killed loses no line. */
  write(line: RunLine): void {
    const text = `${JSON.stringify(line)}\n`;
    for (const file of this.#files) writeSync(file, text);
  }

  close(): void {
    for (const file of this.#files.splice(0)) closeSync(file);
  }
}

/** The lines that an earlier part of the run left; a last one that was cut off is left out. */
export function readLines(directory: string): RunLine[] {
  const path = pathIn(directory);
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .flatMap((text) => {
      try {
        return text === "" ? [] : [JSON.parse(text) as RunLine];
      } catch {
        return [];
      }
    });
}

function pathIn(directory: string): string {
  return join(directory, "lines.jsonl");
}
