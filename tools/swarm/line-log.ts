/** The run's lines on disk: `DIR/lines.jsonl`, all of them, and the file of `--json`, those of this part of the run. */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import type { RunLine } from "../../src/network/wire/messages.ts";

export class LineLog {
  readonly #files: number[];

  /** Goes on with `DIR/lines.jsonl` when `isResumed`, else starts it anew. The file of `--json` is always new. */
  constructor(directory: string, jsonPath: string | null, isResumed: boolean) {
    if (jsonPath !== null) mkdirSync(dirname(jsonPath), { recursive: true });
    this.#files = [openSync(pathIn(directory), isResumed ? "a" : "w")];
    if (jsonPath !== null) this.#files.push(openSync(jsonPath, "w"));
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
