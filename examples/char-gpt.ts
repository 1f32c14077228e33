/** A small GPT that learns to write like the text it is given, character by character. */
import { ByteTokenizer, CharTokenizer, compile, functional as F, noGrad, OptionError } from "hearth";
import { defineRun, type Dataset, type HostTensor, type Random, type RunDefinition, type Settings } from "hearth/swarm";
import { Gpt } from "./gpt.ts";
import { numbersFrom } from "./settings.ts";

const CONTEXT = 64;
/** Texts with more distinct characters are read byte by byte. */
const VOCABULARY_MAX = 512;
const SAMPLE_CHARACTERS = 120;
const DEFAULTS = { lr: 3e-3, width: 64, heads: 4, layers: 2 };

/** All settings but that of the gradients' codec are numbers. */
function numericOf(settings: Settings): Settings {
  return Object.fromEntries(Object.entries(settings).filter(([key]) => key !== "codec"));
}

class Text implements Dataset {
  readonly tokenizer: CharTokenizer | ByteTokenizer;
  readonly tokens: Int32Array;

  constructor(text: string) {
    const tooShort = new OptionError(
      `The text has ${text.length} characters; char-gpt needs at least ${CONTEXT + 2} to learn from.`,
    );
    if (text.length < CONTEXT + 2) throw tooShort;
    const characters = new CharTokenizer(text);
    this.tokenizer = characters.vocabularySize <= VOCABULARY_MAX ? characters : new ByteTokenizer();
    this.tokens = this.tokenizer.encode(text);
    if (this.tokens.length < CONTEXT + 2) throw tooShort;
  }

  /** x [size, CONTEXT] and y, which is x one character later. */
  batch(random: Random, size: number): { x: HostTensor; y: HostTensor } {
    const x = new Int32Array(size * CONTEXT);
    const y = new Int32Array(size * CONTEXT);
    for (let row = 0; row < size; row++) {
      const start = random.below(this.tokens.length - CONTEXT);
      x.set(this.tokens.subarray(start, start + CONTEXT), row * CONTEXT);
      y.set(this.tokens.subarray(start + 1, start + 1 + CONTEXT), row * CONTEXT);
    }
    return { x: { shape: [size, CONTEXT], data: x }, y: { shape: [size, CONTEXT], data: y } };
  }
}

const run: RunDefinition<Text, Gpt> = defineRun({
  name: "char-gpt",
  title: "Char GPT",
  description: "A small language model learns to write like your text, one character at a time.",
  globalBatch: 16,
  slots: 8,
  steps: 500,
  data: {
    accept: ".txt,text/plain",
    async load(bytes) {
      return new Text(bytes ? new TextDecoder().decode(bytes) : await ownSource());
    },
  },
  model: ({ dataset, settings }) =>
    new Gpt(dataset.tokenizer.vocabularySize, CONTEXT, numbersFrom(numericOf(settings), DEFAULTS)),
  loss: (model, { x, y }) => F.crossEntropy(model.forward(x), y, { axis: -1 }),
  optimizer: (settings) => ({
    kind: "adamw",
    lr: numbersFrom(numericOf(settings), DEFAULTS).lr,
    betas: [0.9, 0.99],
    weightDecay: 0.1,
  }),
  gradientCodec: ({ codec }) => codec,
  async sample(model, { tokenizer, tokens }, random) {
    const next = compile<"x">(({ x }) => noGrad(() => model.forward(x)));
    const window = Array.from(tokens.subarray(0, CONTEXT));
    for (let count = 0; count < SAMPLE_CHARACTERS; count++) {
      const x = { shape: [1, CONTEXT], data: Int32Array.from(window.slice(-CONTEXT)) };
      const logits = await (await next({ x })).data();
      window.push(draw(logits.subarray(-tokenizer.vocabularySize), random));
    }
    next.destroy();
    return tokenizer.decode(window.slice(CONTEXT));
  },
});
export default run;

/** A token with probability softmax(logits / 0.8). */
function draw(logits: ArrayLike<number>, random: Random): number {
  const weights = Array.from(logits, (logit) => logit / 0.8);
  const top = Math.max(...weights);
  const masses = weights.map((weight) => Math.exp(weight - top));
  let left = random.uniform() * masses.reduce((sum, mass) => sum + mass, 0);
  return Math.max(
    0,
    masses.findIndex((mass) => (left -= mass) < 0),
  );
}

/** The text to learn from when nobody gave one: this project's own source, which the app serves. */
async function ownSource(): Promise<string> {
  const response = await fetch("/own-source.txt", { signal: AbortSignal.timeout(20_000) });
  if (!response.ok)
    throw new OptionError(`The default text could not be loaded (${response.status}): drop a text file instead.`);
  return response.text();
}
