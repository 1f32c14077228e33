/** Named tensors at rest, in one file or several: what models are loaded from. */
import { OptionError } from "../../base/errors.ts";
import { excerpt } from "../data/excerpt.ts";
import type { HostTensor } from "../data/host-tensor.ts";
import type { TensorInfo } from "./header.ts";

/** How far a read has come. */
export interface Progress {
  /** Bytes of tensors read so far, and in all. */
  readonly bytesLoaded: number;
  readonly bytesTotal: number;
}

/** Options of `readAll`. */
export interface ReadTensorsOptions {
  /** All by default. */
  readonly names?: readonly string[];
  readonly signal?: AbortSignal | undefined;
  /** Called as bytes come. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** Tensors by name, read when they are asked for: a `SafetensorsFile` or a `ShardedFile`. */
export interface TensorFile {
  readonly names: readonly string[];
  /** Dtype, shape and size of a tensor, without reading it. @throws OptionError for an unknown name */
  info(name: string): TensorInfo;
  /** One tensor. @throws OptionError, CorruptDataError, UnsupportedError, AbortedError */
  read(name: string, options?: Pick<ReadTensorsOptions, "signal" | "onProgress">): Promise<HostTensor>;
  /** Tensors by name, read one after another. @throws as `read` */
  readAll(options?: ReadTensorsOptions): Promise<Map<string, HostTensor>>;
}

/** `readAll` by `read`. */
export async function readTensors(file: TensorFile, options: ReadTensorsOptions): Promise<Map<string, HostTensor>> {
  const { names = file.names, signal, onProgress } = options;
  const bytesTotal = names.reduce((sum, name) => sum + bytesOfTensor(file.info(name)), 0);
  const tensors = new Map<string, HostTensor>();
  let before = 0;
  for (const name of names) {
    const report = ({ bytesLoaded }: Progress): void => onProgress?.({ bytesLoaded: before + bytesLoaded, bytesTotal });
    tensors.set(name, await file.read(name, { signal, onProgress: report }));
    before += bytesOfTensor(file.info(name));
  }
  return tensors;
}

/** Bytes of a tensor in its file. */
export function bytesOfTensor({ start, end }: TensorInfo): number {
  return end - start;
}

/** An error about a name that a file of `names` lacks. */
export function unknownName(names: readonly string[], name: string): OptionError {
  const some = excerpt(names.slice(0, 5), 200);
  return new OptionError(
    `safetensors: expected one of ${names.length} tensors such as ${some}, found ${excerpt(name)}`,
  );
}
