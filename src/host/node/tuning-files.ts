/**
 * Tuning tables in a folder, a file an adapter: of this user's, for all programs and several processes at once. A file is
 * written beside its place and renamed into it, so that nobody reads half of one; of two written at once the later stays.
 */
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { QuotaError } from "../../base/errors.ts";
import { hashText } from "../../base/hash.ts";
import { decodeTable, encodeTable, type TuningStore } from "../../compute/runtime/tuning-store.ts";

/** `HEARTH_CACHE`, else `hearth` where the user's caches are. */
function cacheFolder(): string {
  const { HEARTH_CACHE, XDG_CACHE_HOME } = process.env;
  return HEARTH_CACHE ?? join(XDG_CACHE_HOME ?? join(homedir(), ".cache"), "hearth");
}

let count = 0;

/** The folder is made when something is saved. */
export function tuningFiles(folder: string = join(cacheFolder(), "tuning")): TuningStore {
  const pathOf = (adapter: string): string => join(folder, `${hashText(adapter).slice(0, 32)}.json`);
  return {
    // A file that is missing and one that cannot be read come to the same: everything can be measured again.
    load: async (adapter) => decodeTable(adapter, await readFile(pathOf(adapter), "utf8").catch(() => "")),
    async save(adapter, table) {
      const path = pathOf(adapter);
      const temporary = `${path}.${process.pid}-${count++}`;
      try {
        await mkdir(folder, { recursive: true });
        await writeFile(temporary, encodeTable(adapter, table));
        await rename(temporary, path);
      } catch (cause) {
        await rm(temporary, { force: true }).catch(() => {});
        throw new QuotaError(`tune: expected to write ${path}, found that the disk refuses`, { cause });
      }
    },
  };
}
