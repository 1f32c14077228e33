/** What members of a group do with numbers: sums and their kin. */
import { bytesOf, concatBytes, floatsOf } from "../../base/bytes.ts";
import type { Bytes } from "../../base/bytes.ts";
import { present } from "../../base/assert.ts";
import { OptionError } from "../../base/errors.ts";
import { ByteVerbs, agreed } from "./byte-verbs.ts";
import type { CollectiveOptions } from "./byte-verbs.ts";
import { cutChunks, evenLayout, sharedLayout } from "./layout.ts";
import type { Layout } from "./layout.ts";
import { divideAll, elementBytes, numbersOf, reducerOf, typeOf } from "./numbers.ts";
import type { Numbers, NumberType, ReduceOperator } from "./numbers.ts";
import type { Program } from "./program.ts";
import { directReduceScatter } from "./programs/direct.ts";
import type { Reducer } from "./reducer.ts";

type Floats = Float32Array<ArrayBuffer>;

/** Options of a reduction. */
export interface ReduceOptions extends CollectiveOptions {
  /** `sum` if left out. */
  readonly operator?: ReduceOperator | undefined;
  /** Of a Uint16Array: which bits it holds. Other arrays say it themselves. */
  readonly type?: NumberType | undefined;
}

/** What members of a group do together. Inputs are never changed, results are new buffers. */
export abstract class GroupVerbs extends ByteVerbs {
  /** Sums float32; another one may do it on a GPU. @internal */
  protected abstract readonly sum: Reducer;
  /** Where the shares of members begin and end, as parts of 1, for unequal links; null for equal ones. @internal */
  protected abstract readonly shares: readonly number[] | null;

  /**
   * The reduction over all ranks, element by element, with the same bits on all. Sends 2(n-1)/n of the buffer a rank
   * by most programs.
   */
  async allReduce<T extends Numbers>(values: T, options: ReduceOptions): Promise<T> {
    const type = this.#typeFor("allReduce", values, options);
    const { algorithm } = options;
    const program = this.programs.program("all-reduce", { algorithm, bytes: values.byteLength });
    const layout = this.#layoutFor(program, values.length, elementBytes(type));
    const task = { program, values: cutChunks(bytesOf(values), layout), ...agreed(layout) };
    const chunks = await this.perform({ ...task, reduce: this.#reducer(type, options) }, options);
    return this.#finished(this.joined(chunks, program), values, type, options, this.size);
  }

  /**
   * Own share [bounds[rank], bounds[rank + 1]) of the sum over `contributors`, by default added up in rank order.
   *
   * Only contributors send; what others pass as `values` is ignored and may be empty. With equal shares a contributor
   * sends (n-1)/n of the buffer.
   * @param bounds size + 1 element offsets, from 0 to the buffer's length
   */
  async reduceScatter(
    values: Floats,
    bounds: readonly number[],
    contributors: readonly number[],
    options: CollectiveOptions & { readonly operator?: ReduceOperator | undefined },
  ): Promise<Floats> {
    const { size, rank } = this;
    this.requireBounds("reduceScatter", bounds);
    const ordered = [...new Set(contributors)].sort((a, b) => a - b);
    if (ordered.some((one) => !(one in this.members))) {
      const found = `found contributors ${contributors.join(", ")}`;
      throw new OptionError(`reduceScatter: expected ranks below ${size}, ${found}`);
    }
    const gives = ordered.includes(rank);
    if (gives && values.length !== bounds[size]) {
      throw new OptionError(`reduceScatter: expected ${bounds[size]} values, found ${values.length}`);
    }
    const program = this.#reduceScatterProgram(ordered, (bounds[size] ?? 0) * 4, options);
    const slices = program.chunks / size;
    const layout = sharedLayout(bounds, slices, 4);
    const given = gives ? cutChunks(bytesOf(values), layout) : new Map<number, Bytes>();
    const task = { program, values: given, ...agreed(layout), reduce: this.#reducer("float32", options) };
    const chunks = await this.perform(task, options);
    const own = Array.from({ length: slices }, (_, slice) => present(chunks(rank * slices + slice), "own share"));
    return this.#finished(concatBytes(own), new Float32Array(0), "float32", options, ordered.length);
  }

  /** The reduction over all ranks on the root; null on the others. */
  async reduce<T extends Numbers>(root: number, values: T, options: ReduceOptions): Promise<T | null> {
    this.requireRank("reduce", root);
    const type = this.#typeFor("reduce", values, options);
    const { algorithm } = options;
    const program = this.programs.program("reduce", { algorithm, root, bytes: values.byteLength });
    const layout = evenLayout(values.length, program.chunks, elementBytes(type));
    const task = { program, values: cutChunks(bytesOf(values), layout), ...agreed(layout) };
    const chunks = await this.perform({ ...task, reduce: this.#reducer(type, options) }, options);
    if (this.rank !== root) return null;
    return this.#finished(this.joined(chunks, program), values, type, options, this.size);
  }

  /** Programs other than the direct one add up what everybody gives. */
  #reduceScatterProgram(contributors: readonly number[], bytes: number, { algorithm }: CollectiveOptions): Program {
    if (contributors.length < this.size) return directReduceScatter(this.size, contributors);
    return this.programs.program("reduce-scatter", { algorithm, bytes });
  }

  #layoutFor(program: Program, elements: number, width: number): Layout {
    const { shares, size } = this;
    if (shares === null || program.chunks % size !== 0) return evenLayout(elements, program.chunks, width);
    const bounds = shares.map((share) => Math.round(share * elements));
    return sharedLayout(bounds, program.chunks / size, width);
  }

  #reducer(type: NumberType, { operator = "sum" }: { readonly operator?: ReduceOperator | undefined }): Reducer {
    const isPlain = type === "float32" && (operator === "sum" || operator === "mean");
    return isPlain ? this.sum : reducerOf(type, operator);
  }

  #typeFor(verb: string, values: Numbers, { type, codec }: ReduceOptions): NumberType {
    const found = typeOf(values, type);
    if (codec === undefined || found === "float32") return found;
    throw new OptionError(`${verb}: expected float32 for the codec ${codec.name}, found ${found}`);
  }

  /** The result as an array like the input. */
  #finished<T extends Numbers>(
    bytes: Bytes,
    like: T,
    type: NumberType,
    { operator }: { readonly operator?: ReduceOperator | undefined },
    count: number,
  ): T {
    const numbers = type === "float32" ? (floatsOf(bytes) as T) : numbersOf(bytes, like);
    if (operator === "mean" && count > 0) divideAll(numbers, type, count);
    return numbers;
  }
}
