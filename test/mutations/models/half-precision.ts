/** Activations in float16 between parameters in float32, with a scaled loss (Micikevicius et al., 2018). */
import { functional as F, nn, optim } from "../../../src/index.ts";
import type { Tensor } from "../../../src/index.ts";
import { integers, normals } from "../data.ts";
import { training } from "../mutation.ts";
import type { Mutation } from "../mutation.ts";

/** A Linear whose product is one of float16 operands. */
function halfLinear({ weight, bias }: nn.Linear, x: Tensor): Tensor {
  return F.linear(x, weight.cast("float16"), bias?.cast("float16"));
}

export const mixedPrecision: Mutation = {
  name: "activations in float16, parameters in float32, and a loss that is scaled and clipped",
  isHalf: true,
  make: () => {
    const [first, second, third] = [new nn.Linear(6, 16), new nn.Linear(16, 16), new nn.Linear(16, 3)];
    const optimizer = new optim.AdamW(
      [first, second, third].flatMap((layer) => layer.parameters()),
      { lr: 1e-2 },
    );
    const scaler = new optim.GradScaler({ initScale: 1024, growthInterval: 4 });
    return training({
      batch: { x: normals(44, [8, 6]), y: integers(45, [8], 3) },
      step({ x, y }) {
        optimizer.zeroGrad();
        const hidden = F.gelu(halfLinear(first, x.cast("float16")));
        const logits = halfLinear(third, hidden.add(F.gelu(halfLinear(second, hidden))));
        const loss = F.crossEntropy(logits.cast("float32"), y);
        scaler.scale(loss).backward();
        scaler.unscale(optimizer);
        optim.clipGradNorm(optimizer.parameters, 1);
        scaler.step(optimizer);
        scaler.update();
        return { loss };
      },
    });
  },
  goals: { loss: 0.8 },
};

export const wholeModelInHalf: Mutation = {
  name: "a whole model turned to float16 by half(), weights and all",
  isHalf: true,
  make: () => {
    const model = new nn.Sequential(new nn.Linear(6, 16), new nn.LayerNorm(16), new nn.SiLU(), new nn.Linear(16, 3));
    model.half();
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
    return training({
      batch: { x: normals(46, [8, 6]), y: integers(47, [8], 3) },
      step({ x, y }) {
        optimizer.zeroGrad();
        const loss = F.crossEntropy(model.forward(x.cast("float16")).float(), y);
        loss.backward();
        optimizer.step();
        return { loss };
      },
    });
  },
  goals: { loss: 0.8 },
};
