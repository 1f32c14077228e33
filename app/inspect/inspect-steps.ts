/** Builds the steps that can be inspected: forward, backward and update of one batch, as one compiled function. */
import { compile, functional as F, nn, OptionError, optim, Random } from "hearth";
import type { Bytes, CompiledFunction, Inputs, Tensor, TypedHostValues } from "hearth";
import type { OptimizerSpec, RunDefinition } from "hearth/swarm";
import addition from "../../examples/addition.ts";
import charGpt from "../../examples/char-gpt.ts";
import digits from "../../examples/digits.ts";

/** A step and a batch for it. */
export interface InspectStep {
  readonly step: CompiledFunction<"x" | "y", Tensor>;
  readonly batch: Readonly<Record<"x" | "y", TypedHostValues>>;
}

const SEED = 1;
const CHAR_GPT_BATCH = 8;
const DIGITS_ROWS = 64;
const DIGIT_PIXELS = 64;

/** The step of the model named `name` in `inspectModels`. */
export async function buildStep(name: string): Promise<InspectStep> {
  switch (name) {
    case "mlp":
      return mlp();
    case "digits":
      return await ofRun(digits, digits.globalBatch, someDigits());
    case "char-gpt":
      return await ofRun(charGpt, CHAR_GPT_BATCH, someText());
    case "addition":
      return await ofRun(addition, addition.globalBatch, null);
    default:
      throw new OptionError(`There is no model named “${name}” to inspect.`);
  }
}

function mlp(): InspectStep {
  const random = new Random(SEED, "mlp");
  const layers = [
    new nn.Linear(784, 256),
    new nn.ReLU(),
    new nn.Linear(256, 256),
    new nn.ReLU(),
    new nn.Linear(256, 10),
  ];
  const model = nn.withRandom(random, () => new nn.Sequential(...layers));
  const x = Float32Array.from({ length: 128 * 784 }, () => random.uniform());
  const y = Int32Array.from({ length: 128 }, () => random.below(10));
  return {
    step: stepOf(model, (inputs) => F.crossEntropy(model.call(inputs.x), inputs.y), { kind: "sgd", lr: 0.1 }),
    batch: { x: { shape: [128, 784], data: x }, y: { shape: [128], data: y } },
  };
}

/** The step that one tab alone would take in a room of `run`. */
async function ofRun(run: RunDefinition, size: number, bytes: Bytes | null): Promise<InspectStep> {
  const settings = {};
  const dataset = await run.data.load(bytes, settings);
  const random = new Random(SEED, "model");
  const model = nn.withRandom(random, () => run.model({ dataset, settings, random }));
  return {
    step: stepOf(model, (inputs) => run.loss(model, inputs), run.optimizer(settings)),
    batch: dataset.batch(new Random(SEED, "batch"), size),
  };
}

function stepOf(
  model: nn.Module,
  lossOf: (inputs: Inputs<"x" | "y">) => Tensor,
  spec: OptimizerSpec,
): InspectStep["step"] {
  const parameters = [...model.parameters()];
  const optimizer = optimizerOf(parameters, spec);
  return compile(({ x, y }: Inputs<"x" | "y">) => {
    const loss = lossOf({ x, y });
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  });
}

function optimizerOf(parameters: readonly nn.Parameter[], spec: OptimizerSpec): optim.Optimizer {
  if (spec.kind === "sgd") {
    const { kind: _, ...options } = spec;
    return new optim.SGD(parameters, options);
  }
  const { kind: _, ...options } = spec;
  return new optim.AdamW(parameters, options);
}

/** Any 65 characters do: what a step costs does not depend on what the text says. */
function someText(): Bytes {
  const characters = Array.from({ length: 65 }, (_, i) => String.fromCharCode(" ".charCodeAt(0) + i));
  return new TextEncoder().encode(characters.join("").repeat(4));
}

function someDigits(): Bytes {
  const random = new Random(SEED, "digits");
  const lines = Array.from({ length: DIGITS_ROWS }, (_, row) =>
    [...Array.from({ length: DIGIT_PIXELS }, () => random.below(17)), row % 10].join(),
  );
  return new TextEncoder().encode(lines.join("\n"));
}
