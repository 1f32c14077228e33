/** Reading safetensors: at once from memory, or tensor by tensor from where bytes can be had in parts. */
import type { Bytes } from "../../base/bytes.ts";
import { excerpt } from "../data/excerpt.ts";
import { decodeStored, DTYPE_OF_STORED } from "../data/stored-values.ts";
import type { HostTensor } from "../data/host-tensor.ts";
import { headerBytesOf, LENGTH_BYTES, parseHeader, storedTypeOf } from "./header.ts";
import type { SafetensorsHeader, TensorInfo } from "./header.ts";
import type { RangedSource } from "./ranged-source.ts";
import { bytesOfTensor, readTensors, unknownName } from "./tensor-file.ts";
import type { ReadTensorsOptions, TensorFile } from "./tensor-file.ts";

const WHAT = "safetensors";

/**
 * All tensors of a file in memory, by name, in the order of their bytes. Dtypes as in the table of
 * `data/stored-values.ts`: F16, BF16 and F64 become float32; I64 int32 where all values fit.
 * @throws CorruptDataError for a file that is not as the format demands; UnsupportedError for other dtypes
 */
export function readSafetensors(file: Bytes): Map<string, HostTensor> {
  const headerBytes = headerBytesOf(WHAT, file, file.byteLength);
  const dataStart = LENGTH_BYTES + headerBytes;
  const header = parseHeader(WHAT, file.subarray(LENGTH_BYTES, dataStart), file.byteLength - dataStart);
  return new Map(header.tensors.map((info) => [info.name, decoded(WHAT, info, file.subarray(info.start, info.end))]));
}

/** A safetensors file whose header has been read and checked; its tensors are read when they are asked for. */
export class SafetensorsFile implements TensorFile {
  readonly names: readonly string[];
  /** What the file says about itself, such as { format: "pt" }. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly #source: RangedSource;
  readonly #infos: ReadonlyMap<string, TensorInfo>;

  private constructor(source: RangedSource, { tensors, metadata }: SafetensorsHeader) {
    this.#source = source;
    this.#infos = new Map(tensors.map((info) => [info.name, info]));
    this.names = [...this.#infos.keys()];
    this.metadata = metadata;
  }

  /** Reads the header. @throws CorruptDataError, UnsupportedError, and what the source throws */
  static async open(source: RangedSource, { signal }: { signal?: AbortSignal } = {}): Promise<SafetensorsFile> {
    const what = `${WHAT}: ${source.name}`;
    const first = await source.read(0, Math.min(LENGTH_BYTES, source.size), { signal });
    const headerBytes = headerBytesOf(what, first, source.size);
    const dataStart = LENGTH_BYTES + headerBytes;
    const bytes = await source.read(LENGTH_BYTES, dataStart, { signal });
    return new SafetensorsFile(source, parseHeader(what, bytes, source.size - dataStart));
  }

  /** True when the file has a tensor of this name. */
  has(name: string): boolean {
    return this.#infos.has(name);
  }

  info(name: string): TensorInfo {
    const info = this.#infos.get(name);
    if (info === undefined) {
      throw unknownName(this.names, name);
    }
    return info;
  }

  async read(name: string, { signal, onProgress }: ReadTensorsOptions = {}): Promise<HostTensor> {
    const info = this.info(name);
    const what = `${WHAT}: ${this.#source.name}`;
    storedTypeOf(what, info);
    const bytesTotal = bytesOfTensor(info);
    const onBytes = (bytesLoaded: number): void => onProgress?.({ bytesLoaded, bytesTotal });
    return decoded(what, info, await this.#source.read(info.start, info.end, { signal, onBytes }));
  }

  readAll(options: ReadTensorsOptions = {}): Promise<Map<string, HostTensor>> {
    return readTensors(this, options);
  }
}

function decoded(what: string, info: TensorInfo, bytes: Bytes): HostTensor {
  const type = storedTypeOf(what, info);
  const data = decodeStored(`${what}: ${excerpt(info.name)}`, bytes, type);
  return { shape: info.shape, data, dtype: DTYPE_OF_STORED[type] };
}
