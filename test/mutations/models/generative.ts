/** Models that make things up: two that compete, one that encodes, one that turns noise by invertible steps. */
import { cat, functional as F, Generator, grad, nn, optim, rand, randnLike } from "../../../src/index.ts";
import type { Tensor } from "../../../src/index.ts";
import { normals } from "../data.ts";
import { training } from "../mutation.ts";
import type { Mutation } from "../mutation.ts";

const mlp = (inputs: number, hidden: number, outputs: number): nn.Sequential =>
  new nn.Sequential(new nn.Linear(inputs, hidden), new nn.LeakyReLU(0.2), new nn.Linear(hidden, outputs));

/** One optimizer for each side; the discriminator learns from detached fakes and is frozen while the generator learns. */
export const gan: Mutation = {
  name: "a GAN: two losses, two optimizers, detached fakes, a discriminator that is frozen in between",
  make: () => {
    const [generator, discriminator] = [mlp(4, 16, 3), mlp(3, 16, 1)];
    const generatorOptimizer = new optim.Adam(generator.parameters(), { lr: 1e-2, betas: [0.5, 0.999] });
    const discriminatorOptimizer = new optim.Adam(discriminator.parameters(), { lr: 2e-2, betas: [0.5, 0.999] });
    const noise = new Generator(5);
    const bce = (logits: Tensor, label: number): Tensor =>
      F.binaryCrossEntropyWithLogits(logits, logits.detach().mul(0).add(label));
    return training({
      batch: { real: normals(16, [8, 3]) },
      step({ real }) {
        const fake = generator.forward(rand([8, 4], { generator: noise }).mul(2).sub(1));
        discriminatorOptimizer.zeroGrad();
        const judged = bce(discriminator.forward(real.add(2)), 1).add(bce(discriminator.forward(fake.detach()), 0));
        judged.backward();
        discriminatorOptimizer.step();

        discriminator.requiresGrad(false);
        generatorOptimizer.zeroGrad();
        const fooled = bce(discriminator.forward(fake), 1);
        fooled.backward();
        generatorOptimizer.step();
        discriminator.requiresGrad(true);
        return { judged, fooled, mean: fake.mean() };
      },
    });
  },
  goals: { judged: 0.8 },
};

/** Wasserstein's critic, held to slopes of 1 by a gradient of its gradient (Gulrajani et al., 2017). */
export const gradientPenalty: Mutation = {
  name: "a critic with a gradient penalty, between real and fake",
  make: () => {
    const critic = new nn.Sequential(new nn.Linear(3, 16), new nn.Tanh(), new nn.Linear(16, 1));
    const optimizer = new optim.Adam(critic.parameters(), { lr: 1e-2 });
    const random = new Generator(6);
    return training({
      batch: { real: normals(17, [8, 3]), fake: normals(18, [8, 3]) },
      step({ real, fake }) {
        optimizer.zeroGrad();
        const between = real.lerp(fake, rand([8, 1], { generator: random })).detach();
        between.requiresGrad = true;
        const [slope] = grad(critic.forward(between).sum(), [between], { createGraph: true });
        const penalty = slope.norm(2, -1).sub(1).square().mean();
        const distance = critic.forward(fake.add(1)).mean().sub(critic.forward(real).mean());
        const loss = distance.add(penalty.mul(10));
        loss.backward();
        optimizer.step();
        return { penalty, loss };
      },
    });
  },
  goals: { penalty: 0.7 },
};

class Vae extends nn.Module {
  readonly encoder: nn.Sequential = mlp(6, 16, 8);
  readonly decoder: nn.Sequential = mlp(4, 16, 6);
  readonly noise: Generator = new Generator(7);

  forward(x: Tensor): { reconstruction: Tensor; mean: Tensor; logVariance: Tensor } {
    const [mean, logVariance] = this.encoder.forward(x).chunk(2, -1) as [Tensor, Tensor];
    const code = mean.add(
      logVariance
        .mul(0.5)
        .exp()
        .mul(randnLike(mean, { generator: this.noise })),
    );
    return { reconstruction: this.decoder.forward(code), mean, logVariance };
  }
}

export const vae: Mutation = {
  name: "a VAE: a sampled code through which gradients flow, and its KL divergence",
  make: () => {
    const model = new Vae();
    const optimizer = new optim.Adam(model.parameters(), { lr: 2e-2 });
    return training({
      batch: { x: normals(19, [8, 6]) },
      step({ x }) {
        optimizer.zeroGrad();
        const { reconstruction, mean, logVariance } = model.forward(x);
        const kl = logVariance.add(1).sub(mean.pow(2)).sub(logVariance.exp()).sum(-1).mul(-0.5).mean();
        const error = F.mseLoss(reconstruction, x, { reduction: "sum" }).div(8);
        const loss = error.add(kl);
        loss.backward();
        optimizer.step();
        return { loss, kl };
      },
    });
  },
  goals: { loss: 0.9 },
};

/** Half of the features scale and shift the other half (Dinh et al., "Real NVP", 2017). */
class Coupling extends nn.Module {
  readonly net: nn.Sequential = new nn.Sequential(new nn.Linear(2, 12), new nn.Tanh(), new nn.Linear(12, 4));

  /** [B, 4] -> [B, 4] with the halves swapped, and the logarithm of the volume's change [B]. */
  forward(x: Tensor): [Tensor, Tensor] {
    const [kept, moved] = x.split([2, 2], 1) as [Tensor, Tensor];
    const [scale, shift] = this.net.forward(kept).chunk(2, 1) as [Tensor, Tensor];
    const bounded = scale.tanh();
    return [cat([moved.mul(bounded.exp()).add(shift), kept], 1), bounded.sum(1)];
  }
}

export const normalizingFlow: Mutation = {
  name: "a normalising flow of coupling layers, trained by likelihood",
  make: () => {
    const couplings = new nn.ModuleList<Coupling>([new Coupling(), new Coupling(), new Coupling()]);
    const optimizer = new optim.Adam(couplings.parameters(), { lr: 2e-2 });
    return training({
      batch: { x: normals(20, [8, 4]) },
      step({ x }) {
        optimizer.zeroGrad();
        let z = x.mul(2).add(1);
        let logVolume = z.sum(1).mul(0);
        for (const coupling of couplings) {
          const [next, change] = coupling.forward(z);
          [z, logVolume] = [next, logVolume.add(change)];
        }
        const loss = z.square().sum(1).mul(0.5).sub(logVolume).mean();
        loss.backward();
        optimizer.step();
        return { loss };
      },
    });
  },
  goals: { loss: 0.8 },
};
