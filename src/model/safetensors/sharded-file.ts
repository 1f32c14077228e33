/** A model in several safetensors files, and the index (`model.safetensors.index.json`) that says which tensor is where. */
import type { Bytes } from "../../base/bytes.ts";
import { CorruptDataError } from "../../base/errors.ts";
import { excerpt } from "../data/excerpt.ts";
import type { HostTensor } from "../data/host-tensor.ts";
import type { TensorInfo } from "./header.ts";
import type { RangedSource } from "./ranged-source.ts";
import { SafetensorsFile } from "./safetensors-file.ts";
import { parseStrictJson } from "./scan-json.ts";
import { readTensors, unknownName } from "./tensor-file.ts";
import type { ReadTensorsOptions, TensorFile } from "./tensor-file.ts";

/** Opens a file beside the index, by its plain name. */
export type OpenShard = (fileName: string) => RangedSource | Promise<RangedSource>;

/** The file of each tensor, from the bytes of an index. @throws CorruptDataError */
export function readShardIndex(index: Bytes): Map<string, string> {
  const what = "safetensors index";
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(index);
  } catch (cause) {
    throw new CorruptDataError(`${what}: expected UTF-8, found other bytes`, { cause });
  }
  const { weight_map: files } = (parseStrictJson(what, text) ?? {}) as { weight_map?: unknown };
  if (typeof files !== "object" || files === null || Array.isArray(files)) {
    throw new CorruptDataError(`${what}: expected a weight_map of file names, found none`);
  }
  const entries = Object.entries(files as Record<string, unknown>);
  for (const [name, file] of entries) {
    // A name leads nowhere but into the index's own folder.
    if (typeof file !== "string" || !/^[\w-][\w.-]*$/.test(file)) {
      throw new CorruptDataError(`${what}: ${excerpt(name)}: expected a plain file name, found ${excerpt(file)}`);
    }
  }
  return new Map(entries as [string, string][]);
}

/** All files of an index as one. */
export class ShardedFile implements TensorFile {
  readonly names: readonly string[];
  readonly #files: ReadonlyMap<string, SafetensorsFile>;

  private constructor(files: ReadonlyMap<string, SafetensorsFile>) {
    this.#files = files;
    this.names = [...files.keys()];
  }

  /** Reads the headers of all files that the index names. @throws CorruptDataError when a tensor is not where it says */
  static async open(index: Bytes, openShard: OpenShard, options: { signal?: AbortSignal } = {}): Promise<ShardedFile> {
    const fileNames = readShardIndex(index);
    const opened = new Map<string, SafetensorsFile>();
    for (const fileName of new Set(fileNames.values())) {
      opened.set(fileName, await SafetensorsFile.open(await openShard(fileName), options));
    }
    const files = new Map<string, SafetensorsFile>();
    for (const [name, fileName] of fileNames) {
      const file = opened.get(fileName);
      if (file === undefined || !file.has(name)) {
        throw new CorruptDataError(`safetensors index: expected ${excerpt(name)} in ${fileName}, found none`);
      }
      files.set(name, file);
    }
    return new ShardedFile(files);
  }

  info(name: string): TensorInfo {
    return this.#file(name).info(name);
  }

  read(name: string, options: ReadTensorsOptions = {}): Promise<HostTensor> {
    return this.#file(name).read(name, options);
  }

  readAll(options: ReadTensorsOptions = {}): Promise<Map<string, HostTensor>> {
    return readTensors(this, options);
  }

  #file(name: string): SafetensorsFile {
    const file = this.#files.get(name);
    if (file === undefined) {
      throw unknownName(this.names, name);
    }
    return file;
  }
}
