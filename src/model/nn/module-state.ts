/** How the names and shapes of saved values differ from a module's, in words. */
import { OptionError, ShapeError } from "../../base/errors.ts";
import { formatShape, sameShape } from "../../compute/layout/shape.ts";
import { dtypeOfArray, hostDTypeOf } from "../../compute/tensor/host-values.ts";
import type { HostValues } from "../../compute/tensor/host-values.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";

/** Host values of parameters and buffers, by name. */
export type StateDict = Readonly<Record<string, HostValues>>;

/** What `loadStateDict` found out. */
export interface LoadResult {
  /** Names of the module that the state lacks. */
  readonly missingKeys: readonly string[];
  /** Names of the state that the module lacks. */
  readonly unexpectedKeys: readonly string[];
}

/** All names of a module's tensors; shared ones come under several. */
export type NamedTensors = readonly (readonly [string, Tensor])[];

/**
 * Compares. @throws OptionError, with `strict`, for missing and unexpected names, ShapeError when only shapes or dtypes
 * differ; either lists everything
 */
export function compareState(names: NamedTensors, state: StateDict, strict: boolean): LoadResult {
  const known = new Set(names.map(([name]) => name));
  const given = new Set(names.filter(([name]) => state[name] !== undefined).map(([, tensor]) => tensor));
  const seen = new Set<Tensor>();
  const firsts = names.filter(([, tensor]) => !seen.has(tensor) && seen.add(tensor));
  const missingKeys = firsts.filter(([, tensor]) => !given.has(tensor)).map(([name]) => name);
  const unexpectedKeys = Object.keys(state).filter((name) => !known.has(name));
  const misfits = names.flatMap(([name, tensor]) => misfitOf(name, tensor, state[name]));
  const hasNames = strict && missingKeys.length + unexpectedKeys.length > 0;
  if (!hasNames && misfits.length === 0) return { missingKeys, unexpectedKeys };
  const parts = [
    ...(hasNames ? listed("missing", missingKeys.map((name) => hinted(name, unexpectedKeys))) : []), // prettier-ignore
    ...(hasNames ? listed("unexpected", unexpectedKeys) : []),
    ...listed("that do not fit", misfits),
    ...(hasNames ? prefixHint(missingKeys, unexpectedKeys) : []),
  ];
  const message = `loadStateDict: expected the module's ${firsts.length} tensors, found ${parts.join("; ")}`;
  throw hasNames ? new OptionError(message) : new ShapeError(message);
}

function misfitOf(name: string, tensor: Tensor, values: HostValues | undefined): string[] {
  if (values === undefined) return [];
  const dtype = dtypeOfArray(values.data);
  const fits = dtype === hostDTypeOf(tensor.dtype) && values.data.length === tensor.size;
  if (fits && sameShape(values.shape, tensor.shape)) return [];
  const found = `${dtype} ${formatShape(values.shape)}${values.data.length === sizeOf(values) ? "" : ` with ${values.data.length} values`}`;
  return [`${name}: expected ${tensor.dtype} ${formatShape(tensor.shape)}, found ${found}`];
}

function sizeOf({ shape }: HostValues): number {
  return shape.reduce((product, size) => product * size, 1);
}

function listed(what: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [`${items.length} ${what} (${items.join(", ")})`];
}

/** `name`, with the unexpected name that is nearest to it, if one is near. */
function hinted(name: string, unexpected: readonly string[]): string {
  const far = Math.max(2, Math.floor(name.length / 3));
  const near = unexpected
    .map((other) => ({ other, edits: editDistance(name, other, far) }))
    .filter(({ edits }) => edits <= far)
    .sort((a, b) => a.edits - b.edits)[0];
  return near === undefined ? name : `${name}, near to ${near.other}`;
}

/** A sentence when all names differ by one prefix, as those of a wrapped model do. */
function prefixHint(missing: readonly string[], unexpected: readonly string[]): string[] {
  const [first] = missing;
  const longer = unexpected.find((name) => first !== undefined && name.endsWith(`.${first}`));
  if (first === undefined || longer === undefined) return [];
  const prefix = longer.slice(0, longer.length - first.length);
  const names = new Set(unexpected);
  return missing.every((name) => names.has(prefix + name)) ? [`the option prefix: "${prefix}" takes it off`] : [];
}

/** Insertions, deletions and changes from `a` to `b`; more than `most` when there are more. */
function editDistance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, change));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
