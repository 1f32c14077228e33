/**
 * Tensors, with PyTorch's semantics and names in camelCase. A tensor is a cell: it holds a value, lazily, and can be
 * assigned another. Ops never consume or change their inputs.
 */
import "../../base/dispose-symbol.ts";
import { assert } from "../../base/assert.ts";
import { OptionError, ShapeError } from "../../base/errors.ts";
import type { Shape } from "../compiler/ir.ts";
import { isFloat, type DType } from "../layout/dtype.ts";
import type { HostArray } from "../runtime/runtime.ts";
import { IndexingMethods } from "./methods/indexing-methods.ts";
import { backward, detach, type BackwardOptions } from "./autograd.ts";
import { addHook, type GradientHook, type HookHandle } from "./hooks.ts";
import { checkHostArray } from "./host-values.ts";
import { noteHostIntegers } from "./index-range.ts";
import { condemnLeaf, forgetTensor, noteLeaf, noteTensor, releaseCondemned } from "./live-tensors.ts";
import { dropPending, notePending, readAll, realizeAll } from "./realize.ts";
import { currentRuntime } from "./runtime-scope.ts";
import { elementCount, formatShape, sameShape } from "../layout/shape.ts";
import { currentTrace, readNode } from "./trace.ts";
import { createValue, isLeaf, ownLeaf, ownsLeaf, registerTensor } from "./value.ts";
import type { Value } from "./value.ts";

/**
 * An array of numbers of one dtype on a device. Ops give new tensors, lazily: nothing is computed until values are
 * read. Methods have PyTorch's names in camelCase; `[..]` in their comments stands for any axes.
 */
export class Tensor extends IndexingMethods {
  #value: Value;
  #grad: Tensor | null = null;
  #isDisposed = false;

  constructor(value: Value) {
    super();
    this.#value = value;
    noteTensor(this);
  }

  /** What it holds now. For ops and compiled functions: users never need it. */
  get value(): Value {
    if (this.#isDisposed) throw new OptionError(`tensor: expected one that is alive, found ${this} disposed`);
    return this.#value;
  }

  /** Puts another value in its place. For ops: users `assign` or `write`. */
  set value(value: Value) {
    this.#value = value;
  }

  /** Sizes of the axes; [] for a scalar. */
  get shape(): Shape {
    return this.value.node.shape;
  }

  /** What its elements are. */
  get dtype(): DType {
    return this.value.node.dtype;
  }

  /** How many elements it has: the product of `shape`. */
  get size(): number {
    return elementCount(this.shape);
  }

  /** True when gradients flow to it. Can be set on tensors that no op made, of floats. @throws OptionError */
  get requiresGrad(): boolean {
    return this.value.requiresGrad;
  }

  set requiresGrad(requires: boolean) {
    if (requires === this.requiresGrad) return;
    if (this.value.origin !== null || !isFloat(this.dtype)) {
      throw new OptionError(
        `requiresGrad: expected a tensor of floats that no differentiable op made, found ${this.dtype}${this.value.origin ? ` made by ${this.value.origin.name}` : ""}`,
      );
    }
    this.#replace({ ...this.value, requiresGrad: requires, owner: requires ? this : null });
  }

  /** What `backward` has summed up for it; null for none. */
  get grad(): Tensor | null {
    return this.#grad;
  }

  set grad(grad: Tensor | null) {
    if (grad !== null && !sameShape(grad.shape, this.shape)) {
      throw new ShapeError(`grad: expected the shape ${formatShape(this.shape)}, found ${formatShape(grad.shape)}`);
    }
    const trace = currentTrace();
    if (trace !== null && this.value.trace === null) trace.noteGradient(this, this.#grad);
    this.#grad = grad;
  }

  /** Sets `grad` without a record of it: for the end of a trace. */
  restoreGrad(grad: Tensor | null): void {
    this.#grad = grad;
  }

  /** Adds dL/dleaf to the `grad` of all leaves that require it; `seed` is dL/dthis, 1 for one element. @throws ShapeError, OptionError */
  backward(seed?: Tensor | null, options?: BackwardOptions): void {
    backward(this, seed ?? undefined, options);
  }

  /**
   * Calls `hook` with dL/dthis whenever one is complete, before it goes on or into `.grad`; what the hook returns takes
   * its place. @throws OptionError for a tensor that no gradient reaches
   */
  registerHook(hook: GradientHook): HookHandle {
    if (!this.requiresGrad) {
      throw new OptionError("registerHook: expected a tensor that requires gradients, found one that does not");
    }
    return addHook(this.value, hook);
  }

  /** Makes `backward` keep this tensor's gradient in `.grad`, although an op made it. */
  retainGrad(): void {
    if (this.value.origin === null) return;
    this.registerHook((gradient) => {
      this.grad = this.grad === null ? gradient : this.grad.add(gradient);
    });
  }

  /** The same value in another tensor, through which no gradient flows. */
  detach(): Tensor {
    return detach(this);
  }

  /**
   * Takes over the value of `other`, lazily and without its history. What was computed from the old value keeps it.
   * @throws ShapeError, OptionError
   */
  assign(other: Tensor): this {
    if (!sameShape(this.shape, other.shape) || this.dtype !== other.dtype) {
      throw new ShapeError(
        `assign: expected ${this.dtype} ${formatShape(this.shape)}, found ${other.dtype} ${formatShape(other.shape)}`,
      );
    }
    if (this.value.origin !== null) {
      throw new OptionError(
        `assign: expected a tensor that no differentiable op made, found one of ${this.value.origin.name}`,
      );
    }
    const trace = currentTrace();
    const node = readNode(other);
    if (trace !== null && this.value.trace !== trace) trace.noteAssignment(this);
    const { requiresGrad } = this;
    const owner = requiresGrad ? this : null;
    this.#replace(createValue(node, { runtime: other.value.runtime, trace, requiresGrad, owner }));
    notePending(this.value);
    return this;
  }

  /**
   * Overwrites the bytes, before all that runs later: lazy tensors that were computed from this one and not yet
   * realized, and detached ones, see the new values. @throws ShapeError, OptionError
   */
  write(data: HostArray): this {
    if (currentTrace() !== null)
      throw new OptionError("write: expected to be outside of compiled functions, found it inside");
    checkHostArray("write", data, this.shape, this.dtype);
    const { value } = this;
    if (value.origin !== null) {
      throw new OptionError(
        `write: expected a tensor that no differentiable op made, found one of ${value.origin.name}`,
      );
    }
    const runtime = value.runtime ?? currentRuntime("write");
    if (isLeaf(value.node) && ownsLeaf(value)) {
      runtime.write(value.node, data);
      noteHostIntegers(value, data);
      return this;
    }
    const { requiresGrad, owner } = value;
    this.#replace(createValue(runtime.leaf(this.shape, this.dtype, data), { runtime, requiresGrad, owner }));
    ownLeaf(this.value.node, this.value);
    noteLeaf(this.value.node, runtime);
    noteHostIntegers(this.value, data);
    return this;
  }

  /** Computes it now, if it is lazy; gives itself. */
  async realize(): Promise<this> {
    await realizeAll([this]);
    return this;
  }

  /** Its elements, row-major: Float32Array, Int32Array, or Uint32Array for uint32 and bool. */
  async data(): Promise<HostArray> {
    const [data] = await readAll([this]);
    assert(data !== undefined, "data: nothing was read");
    return data;
  }

  /** Its only element. @throws ShapeError when there are more */
  async item(): Promise<number> {
    if (this.size !== 1) throw new ShapeError(`item: expected one element, found the shape ${formatShape(this.shape)}`);
    return (await this.data())[0] ?? Number.NaN;
  }

  /** The elements of all, in one readback. */
  static readAll(tensors: readonly Tensor[]): Promise<HostArray[]> {
    return readAll(tensors);
  }

  /** Computes all that are lazy, in one go. */
  static realizeAll(tensors: readonly Tensor[]): Promise<void> {
    return realizeAll(tensors);
  }

  /** True after `dispose`, and after the end of the scope that it was made in. */
  get isDisposed(): boolean {
    return this.#isDisposed;
  }

  /**
   * Frees its bytes, at once unless another tensor needs them: a lazy one that is computed from them keeps them until it
   * is realized, disposed or collected. What is in a compiled function's plan stays. Using it afterwards is an OptionError.
   */
  dispose(): void {
    if (this.#isDisposed) return;
    const { node, trace } = this.#value;
    this.markDisposed();
    if (trace === null && isLeaf(node)) condemnLeaf(node);
    else releaseCondemned();
  }

  /** `dispose`, at the end of the block of a `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Ends its use, but leaves the bytes to the caller. */
  markDisposed(): void {
    dropPending(this.#value);
    forgetTensor(this);
    this.#grad = null;
    this.#isDisposed = true;
  }

  override toString(): string {
    const { shape, dtype } = this.#value.node;
    return `Tensor(${formatShape(shape)}, ${dtype})`;
  }

  #replace(value: Value): void {
    dropPending(this.value);
    const moved = ownsLeaf(this.value) && value.node === this.value.node;
    this.value = value;
    if (moved) ownLeaf(value.node, value);
  }
}

registerTensor((value) => new Tensor(value));
