/** Modules from safetensors and back, by PyTorch's names. */
import type { Bytes } from "../../base/bytes.ts";
import { OptionError } from "../../base/errors.ts";
import type { DType } from "../../compute/layout/dtype.ts";
import { valuesArray } from "../data/host-tensor.ts";
import type { HostTensor } from "../data/host-tensor.ts";
import type { LoadOptions, Module } from "../nn/module.ts";
import type { ReadTensorsOptions, TensorFile } from "./tensor-file.ts";
import { writeSafetensors } from "./write-safetensors.ts";
import type { WriteOptions } from "./write-safetensors.ts";

/** Options of `loadModule`. */
export interface LoadModuleOptions extends LoadOptions, Pick<ReadTensorsOptions, "signal" | "onProgress"> {
  /** The module's name for a tensor of the file; null to leave it out. The same name by default. */
  readonly rename?: (name: string) => string | null;
}

/**
 * Overwrites a module's parameters and buffers with the tensors of `file`: those alone are read. Numbers are converted
 * to the module's dtypes, as PyTorch does. @throws OptionError for missing or unknown names; ShapeError; what `file` throws
 */
export async function loadModule(module: Module, file: TensorFile, options: LoadModuleOptions = {}): Promise<void> {
  const { rename = (name) => name, signal, onProgress, strict } = options;
  const newNames = new Map<string, string>();
  for (const name of file.names) {
    const own = rename(name);
    if (own !== null) newNames.set(name, own);
  }
  if (new Set(newNames.values()).size !== newNames.size) {
    throw new OptionError("loadModule: expected a name of its own for each tensor, found one name for two");
  }
  const tensors = await file.readAll({ names: [...newNames.keys()], signal, onProgress });
  const dtypes = dtypesOf(module);
  const state = [...tensors].map(([name, values]) => {
    const own = newNames.get(name) ?? name;
    return [own, converted(values, dtypes.get(own) ?? values.dtype)] as const;
  });
  module.loadStateDict(Object.fromEntries(state), strict === undefined ? {} : { strict });
}

/** A safetensors file of all parameters and buffers, each under its first name. */
export async function saveModule(module: Module, options: WriteOptions = {}): Promise<Bytes> {
  const dtypes = dtypesOf(module);
  const state = Object.entries(await module.stateDict()).map(([name, values]) => {
    const dtype = dtypes.get(name);
    return [name, dtype === undefined ? values : { ...values, dtype }] as const;
  });
  return writeSafetensors(Object.fromEntries(state), options);
}

/** Under first names: what is shared and comes under another name keeps the file's dtype. */
function dtypesOf(module: Module): ReadonlyMap<string, DType> {
  return new Map([...module.namedParameters(), ...module.namedBuffers()].map(([name, { dtype }]) => [name, dtype]));
}

function converted(values: HostTensor, dtype: DType): HostTensor {
  if (values.dtype === dtype) return values;
  const data = valuesArray(dtype, values.data.length);
  if (dtype === "bool") values.data.forEach((value, i) => (data[i] = value === 0 ? 0 : 1));
  else data.set(values.data);
  return { shape: values.shape, data, dtype };
}
