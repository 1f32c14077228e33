/** A small convolutional network that learns to read handwritten digits of 8 x 8 pixels. */
import { compile, functional as F, nn, noGrad, OptionError, type Tensor } from "hearth";
import { defineRun, type Dataset, type HostTensor, type Random, type RunDefinition } from "hearth/swarm";
import { drawDigits } from "./draw-digits.ts";
import { numbersFrom } from "./settings.ts";

const SIDE = 8;
const PIXELS = SIDE * SIDE;
const INK_MAX = 16;
const SHOWN = 3;

/** Lines of 64 pixels (0 to 16) and the digit, separated by commas. */
class Digits implements Dataset {
  readonly images: Float32Array;
  readonly labels: Int32Array;

  constructor(csv: string) {
    const lines = csv.split(/\r?\n/).filter((line) => line.trim() !== "");
    this.images = new Float32Array(lines.length * PIXELS);
    this.labels = new Int32Array(lines.length);
    if (lines.length === 0) throw new OptionError("The file has no digits: expected lines of 64 pixels and a label.");
    lines.forEach((line, row) => this.#parse(line, row));
  }

  #parse(line: string, row: number): void {
    const values = line.split(",").map(Number);
    const label = values[PIXELS] ?? -1;
    const pixels = values.slice(0, PIXELS);
    const isInk = (ink: number): boolean => ink >= 0 && ink <= INK_MAX;
    if (values.length !== PIXELS + 1 || !pixels.every(isInk) || !Number.isInteger(label) || label < 0 || label > 9) {
      throw new OptionError(`Line ${row + 1} is no digit: expected 64 numbers from 0 to 16 and a label from 0 to 9.`);
    }
    this.images.set(
      pixels.map((ink) => ink / INK_MAX),
      row * PIXELS,
    );
    this.labels[row] = label;
  }

  /** x [size, 1, 8, 8], y [size]. */
  batch(random: Random, size: number): { x: HostTensor; y: HostTensor } {
    const x = new Float32Array(size * PIXELS);
    const y = new Int32Array(size);
    for (let row = 0; row < size; row++) {
      const pick = random.below(this.labels.length);
      x.set(this.images.subarray(pick * PIXELS, (pick + 1) * PIXELS), row * PIXELS);
      y[row] = this.labels[pick] ?? 0;
    }
    return { x: { shape: [size, 1, SIDE, SIDE], data: x }, y: { shape: [size], data: y } };
  }
}

class Cnn extends nn.Module {
  readonly c1: nn.Conv2d = new nn.Conv2d(1, 16, 3, { padding: 1 });
  readonly c2: nn.Conv2d = new nn.Conv2d(16, 32, 3, { padding: 1 });
  readonly fc: nn.Linear = new nn.Linear(32 * (SIDE / 4) ** 2, 10);

  /** [batch, 1, 8, 8] -> logits [batch, 10]. */
  forward(x: Tensor): Tensor {
    const first = F.maxPool2d(F.relu(this.c1.forward(x)), { kernelSize: 2 });
    const second = F.maxPool2d(F.relu(this.c2.forward(first)), { kernelSize: 2 });
    return this.fc.forward(second.flatten(1));
  }
}

const run: RunDefinition<Digits, Cnn> = defineRun({
  name: "digits",
  title: "Digits",
  description: "A small convolutional network learns to read digits, drawn in many fonts.",
  globalBatch: 64,
  slots: 8,
  steps: 300,
  data: {
    accept: ".csv,text/csv",
    load: (bytes) => new Digits(bytes ? new TextDecoder().decode(bytes) : drawDigits()),
  },
  model: () => new Cnn(),
  loss: (model, { x, y }) => F.crossEntropy(model.forward(x), y),
  optimizer: (settings) => ({ kind: "adamw", lr: numbersFrom(settings, { lr: 3e-3 }).lr }),
  async sample(model, dataset, random) {
    const { x, y } = dataset.batch(random, SHOWN);
    const read = compile<"x">((inputs) => noGrad(() => model.forward(inputs.x)));
    const logits = Array.from(await (await read({ x })).data());
    read.destroy();
    const pictures = Array.from({ length: SHOWN }, (_, row) => {
      const scores = logits.slice(row * 10, row * 10 + 10);
      const picture = shades(Array.from(x.data.subarray(row * PIXELS, (row + 1) * PIXELS)));
      return `${picture}\nread as ${scores.indexOf(Math.max(...scores))}, is ${y.data[row]}`;
    });
    return pictures.join("\n\n");
  },
});
export default run;

function shades(pixels: readonly number[]): string {
  const rows = Array.from({ length: SIDE }, (_, row) => pixels.slice(row * SIDE, (row + 1) * SIDE));
  return rows.map((row) => row.map((ink) => " ░▒▓█"[Math.round(ink * 4)]?.repeat(2) ?? "").join("")).join("\n");
}
