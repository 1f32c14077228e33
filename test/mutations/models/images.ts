/** Convolutional networks: skips across scales, residuals with two kinds of norms, channels that are kept apart. */
import { cat, functional as F, nn, noGrad, optim } from "../../../src/index.ts";
import type { Tensor } from "../../../src/index.ts";
import { integers, normals } from "../data.ts";
import { training } from "../mutation.ts";
import type { Mutation } from "../mutation.ts";

function convolution(inputs: number, outputs: number, stride = 1): nn.Conv2d {
  return new nn.Conv2d(inputs, outputs, 3, { stride, padding: 1, bias: false });
}

/** Two halvings and back, one by a transposed convolution and one by interpolation (Ronneberger et al., 2015). */
class UNet extends nn.Module {
  readonly down1: nn.Conv2d = convolution(1, 6);
  readonly down2: nn.Conv2d = convolution(6, 8);
  readonly middle: nn.Conv2d = convolution(8, 8);
  readonly up: nn.ConvTranspose2d = new nn.ConvTranspose2d(8, 8, 2, { stride: 2 });
  readonly up2: nn.Conv2d = convolution(16, 6);
  readonly up1: nn.Conv2d = convolution(12, 6);
  readonly out: nn.Conv2d = new nn.Conv2d(6, 1, 1);

  /** [B, 1, 8, 8] -> the same. */
  forward(x: Tensor): Tensor {
    const fine = this.down1.forward(x).relu();
    const coarse = this.down2.forward(F.maxPool2d(fine, 2)).relu();
    const middle = this.middle.forward(F.avgPool2d(coarse, { kernelSize: 2 })).relu();
    const half = this.up2.forward(cat([this.up.forward(middle), coarse], 1)).relu();
    const whole = F.interpolate(half, { scaleFactor: 2, mode: "bilinear", alignCorners: false });
    return this.out.forward(this.up1.forward(cat([whole, fine], 1)).relu());
  }
}

export const uNet: Mutation = {
  name: "a U-Net with a transposed convolution, an interpolation and two skips",
  make: () => {
    const model = new UNet();
    const optimizer = new optim.Adam(model.parameters(), { lr: 1e-2 });
    return training({
      batch: { noisy: normals(3, [4, 1, 8, 8]), clean: normals(4, [4, 1, 8, 8]) },
      step({ noisy, clean }) {
        optimizer.zeroGrad();
        const loss = F.smoothL1Loss(model.forward(noisy), clean);
        loss.backward();
        optimizer.step();
        return { loss };
      },
    });
  },
  goals: { loss: 0.97 },
};

class ResidualBlock extends nn.Module {
  readonly conv1: nn.Conv2d;
  readonly norm1: nn.Layer;
  readonly conv2: nn.Conv2d;
  readonly norm2: nn.Layer;
  readonly shortcut: nn.Layer;

  constructor(inputs: number, outputs: number, norm: (channels: number) => nn.Layer) {
    super();
    this.conv1 = convolution(inputs, outputs, 2);
    this.norm1 = norm(outputs);
    this.conv2 = convolution(outputs, outputs);
    this.norm2 = norm(outputs);
    this.shortcut = new nn.Conv2d(inputs, outputs, 1, { stride: 2 });
  }

  forward(x: Tensor): Tensor {
    const first = F.relu(this.norm1.forward(this.conv1.forward(x)));
    return F.relu(this.norm2.forward(this.conv2.forward(first)).add(this.shortcut.forward(x)));
  }
}

export const resNet: Mutation = {
  name: "residual blocks, one with batch norm and one with group norm, and what the running statistics give",
  make: () => {
    const model = new nn.Sequential(
      new ResidualBlock(2, 6, (channels) => new nn.BatchNorm2d(channels, { momentum: 0.3 })),
      new ResidualBlock(6, 8, (channels) => new nn.GroupNorm(2, channels)),
      new nn.AdaptiveAvgPool2d(1),
      new nn.Flatten(),
      new nn.Linear(8, 3),
    );
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9, nesterov: true });
    return training({
      batch: { images: normals(5, [6, 2, 8, 8]), labels: integers(6, [6], 3) },
      step({ images, labels }) {
        model.train();
        optimizer.zeroGrad();
        const loss = F.crossEntropy(model.forward(images), labels);
        loss.backward();
        optimizer.step();
        return { loss };
      },
      after({ images, labels }) {
        model.eval();
        return { evaluated: noGrad(() => F.crossEntropy(model.forward(images), labels)) };
      },
    });
  },
  goals: { loss: 0.7 },
};

/** A filter a channel, then a mixture of channels (Howard et al., "MobileNets", 2017). */
function separable(inputs: number, outputs: number): nn.Sequential {
  return new nn.Sequential({
    depthwise: new nn.Conv2d(inputs, inputs, 3, { padding: "same", groups: inputs, bias: false }),
    pointwise: new nn.Conv2d(inputs, outputs, 1),
    act: new nn.ReLU6(),
  });
}

export const separableConvolutions: Mutation = {
  name: "depthwise-separable convolutions, squeezed channels and global pooling",
  make: () => {
    const [first, second] = [separable(3, 8), separable(8, 8)];
    const squeeze = new nn.Sequential(new nn.Linear(8, 4), new nn.ReLU(), new nn.Linear(4, 8), new nn.Hardsigmoid());
    const head = new nn.Linear(8, 4);
    const model = new nn.ModuleList([first, second, squeeze, head]);
    const optimizer = new optim.RMSprop(model.parameters(), { lr: 1e-2 });
    const classify = (images: Tensor): Tensor => {
      const features = second.forward(first.forward(images));
      const gains = squeeze.forward(features.mean([2, 3]));
      return head.forward(features.mul(gains.unsqueeze(-1).unsqueeze(-1)).amax([-2, -1]));
    };
    return training({
      batch: { images: normals(7, [4, 3, 8, 8]), labels: integers(8, [4], 4) },
      step({ images, labels }) {
        optimizer.zeroGrad();
        const loss = F.crossEntropy(classify(images), labels);
        loss.backward();
        optimizer.step();
        return { loss };
      },
    });
  },
  goals: { loss: 0.9 },
};
