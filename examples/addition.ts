/** A small GPT that learns to add two numbers, digit by digit, from nothing but sums. */
import { compile, functional as F, noGrad } from "hearth";
import { defineRun, type Dataset, type HostTensor, type Random, type RunDefinition } from "hearth/swarm";
import { Gpt } from "./gpt.ts";
import { numbersFrom } from "./settings.ts";

const DEFAULTS = { lr: 3e-3, width: 48, heads: 4, layers: 2 };
const SYMBOLS = "0123456789+= ";
const DIGITS = 2;
/** "12+34=" and the sum's digits from the last to the first, which is the order in which people add: "640". */
const QUESTION = 2 * DIGITS + 2;
const LENGTH = QUESTION + DIGITS + 1;

class Sums implements Dataset {
  /** x [size, LENGTH - 1] and y, x one symbol later: the question's own symbols are random, so only the answer can be learnt. */
  batch(random: Random, size: number): { x: HostTensor; y: HostTensor } {
    const x = new Int32Array(size * (LENGTH - 1));
    const y = new Int32Array(size * (LENGTH - 1));
    for (let row = 0; row < size; row++) {
      const tokens = encode(sum(random.below(10 ** DIGITS), random.below(10 ** DIGITS)));
      x.set(tokens.slice(0, -1), row * (LENGTH - 1));
      y.set(tokens.slice(1), row * (LENGTH - 1));
    }
    const shape = [size, LENGTH - 1];
    return { x: { shape, data: x }, y: { shape, data: y } };
  }
}

const run: RunDefinition<Sums, Gpt> = defineRun({
  name: "addition",
  title: "Addition",
  description: "A small language model learns to add two numbers that it has never seen together.",
  globalBatch: 64,
  slots: 8,
  steps: 1000,
  data: { accept: "", load: () => new Sums() },
  model: ({ settings }) => new Gpt(SYMBOLS.length, LENGTH - 1, numbersFrom(settings, DEFAULTS)),
  loss(model, { x, y }) {
    // From the last symbol of the question on, every next symbol is one of the answer's.
    const answer = DIGITS + 1;
    const logits = model.forward(x).narrow(1, QUESTION - 1, answer);
    return F.crossEntropy(logits, y.narrow(1, QUESTION - 1, answer), { axis: -1 });
  },
  optimizer: (settings) => ({
    kind: "adamw",
    lr: numbersFrom(settings, DEFAULTS).lr,
    betas: [0.9, 0.99],
    weightDecay: 0.01,
  }),
  async sample(model, _dataset, random) {
    const next = compile<"x">(({ x }) => noGrad(() => model.forward(x)));
    const lines: string[] = [];
    for (let line = 0; line < 5; line++) {
      const [a, b] = [random.below(10 ** DIGITS), random.below(10 ** DIGITS)];
      const tokens = encode(sum(a, b)).slice(0, QUESTION);
      while (tokens.length < LENGTH) {
        const padded = Int32Array.from({ length: LENGTH - 1 }, (_, at) => tokens[at] ?? SYMBOLS.length - 1);
        const logits = await (await next({ x: { shape: [1, LENGTH - 1], data: padded } })).data();
        const row = Array.from(logits).slice((tokens.length - 1) * SYMBOLS.length, tokens.length * SYMBOLS.length);
        tokens.push(row.indexOf(Math.max(...row)));
      }
      const answer = [...tokens.slice(QUESTION)]
        .reverse()
        .map((token) => SYMBOLS[token])
        .join("");
      lines.push(`${a} + ${b} = ${answer} ${Number(answer) === a + b ? "✓" : "✗"}`);
    }
    next.destroy();
    return lines.join("\n");
  },
});
export default run;

function sum(a: number, b: number): string {
  const padded = (value: number, digits: number): string => String(value).padStart(digits, "0");
  return `${padded(a, DIGITS)}+${padded(b, DIGITS)}=${[...padded(a + b, DIGITS + 1)].reverse().join("")}`;
}

function encode(text: string): number[] {
  return [...text].map((symbol) => SYMBOLS.indexOf(symbol));
}
