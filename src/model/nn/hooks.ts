/** What runs before and after a module's forward pass, and when gradients pass it. */
import { UnsupportedError } from "../../base/errors.ts";
import { isGradEnabled } from "../../compute/tensor/grad-mode.ts";
import type { HookHandle } from "../../compute/tensor/hooks.ts";
import { defineOp } from "../../compute/tensor/op.ts";
import type { Op } from "../../compute/tensor/op.ts";
import { Tensor } from "../../compute/tensor/tensor.ts";
import { currentTrace } from "../../compute/tensor/trace.ts";
import type { Module } from "./module.ts";

/** Gets the arguments of `call`; what it returns, if anything, takes their place (an array of them, or the only one). */
export type ForwardPreHook<M = Module> = (module: M, args: readonly unknown[]) => unknown;

/** Gets the arguments of `call` and the output; what it returns, if anything, takes the output's place. */
export type ForwardHook<M = Module> = (module: M, args: readonly unknown[], output: unknown) => unknown;

/** A gradient for each of several tensors; null where there is none. */
export type Gradients = readonly (Tensor | null)[];

/**
 * Gets dL/dinput for each argument and dL/doutput for each output, null where there is none. What it returns, if
 * anything, takes dL/dinput's place, for modules with one input that requires gradients.
 */
export type FullBackwardHook<M = Module> = (
  module: M,
  gradInput: Gradients,
  gradOutput: Gradients,
) => Tensor | Gradients | null | undefined | void;

/** Hooks of one kind, in the order of registering. A compiled function is traced again when they change. */
export class HookList<Hook> {
  #hooks: readonly Hook[] = [];
  #cells: readonly (readonly [Hook])[] = [];

  add(hook: Hook): HookHandle {
    // A cell of its own, so that a function that was registered twice is removed once.
    const cell = [hook] as const;
    this.#cells = [...this.#cells, cell];
    this.#hooks = this.#cells.map(([one]) => one);
    return {
      remove: () => {
        this.#cells = this.#cells.filter((other) => other !== cell);
        this.#hooks = this.#cells.map(([one]) => one);
      },
    };
  }

  /** The hooks now. */
  read(): readonly Hook[] {
    const hooks = this.#hooks;
    currentTrace()?.guard(() => this.#hooks === hooks);
    return hooks;
  }
}

/** The identity, whose gradient passes a function. */
const observed: Op<[Tensor], (gradient: Tensor) => Tensor> = defineOp<[Tensor], (gradient: Tensor) => Tensor>({
  name: "moduleHook",
  forward: ([x]) => x,
  backward: ({ grad, options: pass }) => [pass(grad)],
});

/** One call of a module whose gradients are watched. */
export class WatchedCall {
  readonly #hooks: readonly FullBackwardHook[];
  readonly #module: Module;
  readonly #inputs: (Tensor | null)[] = [];
  readonly #outputs: (Tensor | null)[] = [];
  /** Places of the inputs, and of the outputs, that gradients may come to. */
  readonly #inputPlaces = new Set<number>();
  readonly #outputPlaces = new Set<number>();

  constructor(module: Module, hooks: readonly FullBackwardHook[]) {
    this.#module = module;
    this.#hooks = hooks;
  }

  /** The arguments, watched. */
  inputs(args: readonly unknown[]): unknown[] {
    return args.map((arg, place) => {
      this.#inputs.push(null);
      if (!flows(arg)) return arg;
      this.#inputPlaces.add(place);
      return observed([arg], (gradient) => this.#arrive(gradient, place));
    });
  }

  /** The output, a tensor or an array or record of them, watched. */
  output(output: unknown): unknown {
    if (flows(output)) return this.#watchOutput(output, 0);
    if (Array.isArray(output))
      return output.map((item, place) => (flows(item) ? this.#watchOutput(item, place) : item));
    if (typeof output !== "object" || output === null || Object.getPrototypeOf(output) !== Object.prototype)
      return output;
    return Object.fromEntries(
      Object.entries(output).map(([name, item], place) => [name, flows(item) ? this.#watchOutput(item, place) : item]),
    );
  }

  #watchOutput(output: Tensor, place: number): Tensor {
    this.#outputPlaces.add(place);
    return observed([output], (gradient) => {
      this.#outputs[place] = gradient;
      const isLast = this.#inputPlaces.size === 0 && [...this.#outputPlaces].every((other) => this.#outputs[other]);
      if (isLast) this.#run();
      return gradient;
    });
  }

  #arrive(gradient: Tensor, place: number): Tensor {
    this.#inputs[place] = gradient;
    if (![...this.#inputPlaces].every((other) => this.#inputs[other])) return gradient;
    return this.#run()[place] ?? gradient;
  }

  /** Runs the hooks, and makes ready for another backward pass. */
  #run(): Gradients {
    const outputs = Array.from(this.#outputs, (gradient) => gradient ?? null);
    let inputs: Gradients = [...this.#inputs];
    for (const hook of this.#hooks) {
      const replaced = hook(this.#module, inputs, outputs) ?? null;
      if (replaced === null) continue;
      if (this.#inputPlaces.size !== 1) {
        throw new UnsupportedError(
          `registerFullBackwardHook: expected one input that requires gradients where a hook replaces them, found ${this.#inputPlaces.size}`,
        );
      }
      inputs = replaced instanceof Tensor ? inputs.map((gradient) => gradient && replaced) : replaced;
    }
    this.#inputs.fill(null);
    this.#outputs.length = 0;
    return inputs;
  }
}

function flows(value: unknown): value is Tensor {
  return value instanceof Tensor && value.requiresGrad && isGradEnabled();
}
