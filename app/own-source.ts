/** The default text of `char-gpt`: hearth's own source, bundled as one file, so that the demo needs no download. */
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Plugin } from "vite";

const FOLDERS = ["examples", "src"];

/** Emits `own-source.txt`. Files come in the order of their paths: the same source is the same text on every machine. */
export function ownSource(root: string): Plugin {
  return {
    name: "own-source",
    apply: "build",
    async generateBundle() {
      const names: string[] = [];
      for (const folder of FOLDERS)
        for (const name of await readdir(join(root, folder), { recursive: true }))
          if (name.endsWith(".ts")) names.push(join(folder, name).replaceAll("\\", "/"));
      names.sort();
      const texts = await Promise.all(names.map((name) => readFile(join(root, name), "utf8")));
      this.emitFile({ type: "asset", fileName: "own-source.txt", source: texts.join("\n").replaceAll("\r\n", "\n") });
    },
  };
}
