/** Fields of parsed JSON, each checked when it is read; a wrong one is an error that names its path. */
import { CorruptDataError, UnsupportedError } from "../../../base/errors.ts";
import { excerpt } from "../excerpt.ts";

/** Nesting of steps within steps. */
const DEPTH_MAX = 16;

export class Fields {
  readonly path: string;
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #depth: number;

  /** @throws CorruptDataError unless `value` is an object */
  constructor(path: string, value: unknown, depth: number = 0) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new CorruptDataError(`${path}: expected an object, found ${excerpt(value)}`);
    }
    if (depth > DEPTH_MAX) {
      throw new UnsupportedError(`${path}: expected steps nested ${DEPTH_MAX} deep at most, found them deeper`);
    }
    this.path = path;
    this.#values = value as Readonly<Record<string, unknown>>;
    this.#depth = depth;
  }

  /** What the field holds; undefined where it is missing. */
  raw(name: string): unknown {
    return Object.hasOwn(this.#values, name) ? this.#values[name] : undefined;
  }

  string(name: string, missing?: string): string {
    return this.#typed(name, "a string", missing, (value): value is string => typeof value === "string");
  }

  /** A string, or null where it is null or missing. */
  stringOrNull(name: string): string | null {
    return this.raw(name) == null ? null : this.string(name);
  }

  /** One Unicode character. */
  character(name: string, missing?: string): string {
    return this.#typed(name, "one character", missing, isCharacter);
  }

  boolean(name: string, missing?: boolean): boolean {
    return this.#typed(name, "true or false", missing, (value): value is boolean => typeof value === "boolean");
  }

  /** A whole number from 0 to below 2^31. */
  count(name: string, missing?: number): number {
    return this.#typed(name, "a whole number", missing, isCount);
  }

  /** A number of tokens, as the ids of special tokens are. */
  counts(name: string): number[] {
    const isList = (value: unknown): value is number[] => Array.isArray(value) && value.every(isCount);
    return this.#typed(name, "whole numbers", undefined, isList);
  }

  list(name: string): readonly unknown[] {
    return this.#typed(name, "a list", undefined, (value): value is unknown[] => Array.isArray(value));
  }

  object(name: string): Fields {
    return new Fields(`${this.path}.${name}`, this.raw(name), this.#depth + 1);
  }

  objectOrNull(name: string): Fields | null {
    return this.raw(name) == null ? null : this.object(name);
  }

  objects(name: string): Fields[] {
    const depth = this.#depth + 1;
    return this.list(name).map((value, at) => new Fields(`${this.path}.${name}.${at}`, value, depth));
  }

  entries(): [string, unknown][] {
    return Object.entries(this.#values);
  }

  /** An error about a field. */
  wrong(name: string, expected: string): CorruptDataError {
    return new CorruptDataError(`${this.path}.${name}: expected ${expected}, found ${excerpt(this.raw(name))}`);
  }

  /** A value that is allowed by the format and not done here. */
  unsupported(name: string, expected: string): UnsupportedError {
    return new UnsupportedError(`${this.path}.${name}: expected ${expected}, found ${excerpt(this.raw(name))}`);
  }

  #typed<T>(name: string, expected: string, missing: T | undefined, is: (value: unknown) => value is T): T {
    const value = this.raw(name);
    if (value == null && missing !== undefined) return missing;
    if (!is(value)) throw this.wrong(name, expected);
    return value;
  }
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 31;
}

function isCharacter(value: unknown): value is string {
  return typeof value === "string" && [...value].length === 1;
}
