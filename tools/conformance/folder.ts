/** Fixtures in a folder of this machine. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Bytes } from "../../src/base/bytes.ts";
import { OptionError } from "../../src/base/errors.ts";

/** What a folder of fixtures holds. */
export const FIXTURE_FILES: readonly string[] = ["ops", "optim", "models"].flatMap((name) => [
  `${name}.json`,
  `${name}.safetensors`,
]);

/** Those of `FIXTURE_FILES` that `folder` lacks. */
export function missingFiles(folder: string): string[] {
  return FIXTURE_FILES.filter((name) => !existsSync(join(folder, name)));
}

/** The bytes of one of `FIXTURE_FILES`. @throws OptionError */
export async function readFixtureFile(folder: string, name: string): Promise<Bytes> {
  try {
    return new Uint8Array(await readFile(join(folder, name)));
  } catch (cause) {
    throw new OptionError(`fixtures: expected a file ${name} in ${folder}, found none that can be read`, { cause });
  }
}
