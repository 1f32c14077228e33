/** An optimizer's update on flat vectors: any shards of the parameters at once, whoever owns them. */
import type { Runtime } from "../../../compute/runtime/runtime.ts";
import { compile } from "../../../compute/tensor/compile.ts";
import { markMemory } from "../../../compute/tensor/memory.ts";
import { readAll } from "../../../compute/tensor/realize.ts";
import type { Tensor } from "../../../compute/tensor/tensor.ts";
import { ADAM_BETAS, adamwUpdate, biasCorrections } from "../../../model/optim/rules/adam-rule.ts";
import { sgdUpdate } from "../../../model/optim/rules/sgd-rule.ts";
import type { OptimizerSpec } from "../../run-definition.ts";
import type { StepEngine } from "./data-parallel-step.ts";

export type FlatUpdate = StepEngine["update"];

/** State vectors that an optimizer keeps, each as long as the parameters. */
export function stateFloatsOf(spec: OptimizerSpec): number {
  if (spec.kind === "adamw") return 2;
  return (spec.momentum ?? 0) > 0 ? 1 : 0;
}

/** Compiled for each length it meets; learning rate and step are data. */
export function compileUpdate(spec: OptimizerSpec, runtime: Runtime): FlatUpdate {
  const rule = compile<string, Tensor[]>(
    (inputs) => (spec.kind === "adamw" ? adamw(spec, inputs) : sgd(spec, inputs)),
    {
      runtime,
    },
  );
  const vectors = stateFloatsOf(spec);
  return async ({ step, parameters, gradient, state }) => {
    const count = parameters.length;
    const flat = (data: Float32Array<ArrayBuffer>): { shape: number[]; data: Float32Array<ArrayBuffer> } => ({
      shape: [data.length],
      data,
    });
    const states = Object.fromEntries(
      Array.from({ length: vectors }, (_, vector) => [
        `state${vector}`,
        flat(state.slice(vector * count, (vector + 1) * count)),
      ]),
    );
    const betas = spec.kind === "adamw" ? (spec.betas ?? ADAM_BETAS) : ADAM_BETAS;
    const results = await rule({
      parameter: flat(parameters),
      gradient: flat(gradient),
      lr: flat(Float32Array.of(spec.lr)),
      corrections: flat(biasCorrections(step, betas)),
      ...states,
    });
    markMemory(results.slice(1), "optimizer");
    const [updated, ...newStates] = (await readAll(results)) as Float32Array<ArrayBuffer>[];
    const joined = new Float32Array(count * vectors);
    newStates.forEach((values, vector) => joined.set(values, vector * count));
    return { parameters: updated ?? new Float32Array(0), state: joined };
  };
}

type Named = Readonly<Record<string, Tensor>>;

function adamw(spec: Extract<OptimizerSpec, { kind: "adamw" }>, inputs: Named): Tensor[] {
  const { parameter, gradient, state0, state1, lr, corrections } = inputs as Record<string, Tensor> & AdamInputs;
  const { betas, eps, weightDecay } = spec;
  const options = {
    ...(betas ? { betas } : {}),
    ...(eps === undefined ? {} : { eps }),
    ...(weightDecay === undefined ? {} : { weightDecay }),
  };
  const result = adamwUpdate({ parameter, gradient, expAvg: state0, expAvgSq: state1, lr, corrections }, options);
  return [result.parameter, result.expAvg, result.expAvgSq];
}

interface AdamInputs {
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  readonly state0: Tensor;
  readonly state1: Tensor;
  readonly lr: Tensor;
  readonly corrections: Tensor;
}

function sgd(spec: Extract<OptimizerSpec, { kind: "sgd" }>, inputs: Named): Tensor[] {
  const { parameter, gradient, lr } = inputs as Record<string, Tensor> & AdamInputs;
  const { momentum, weightDecay } = spec;
  const options = {
    ...(momentum === undefined ? {} : { momentum }),
    ...(weightDecay === undefined ? {} : { weightDecay }),
  };
  const result = sgdUpdate({ parameter, gradient, momentumBuffer: inputs["state0"] ?? null, lr }, options);
  return result.momentumBuffer ? [result.parameter, result.momentumBuffer] : [result.parameter];
}
