/**
 * The runs that this site serves, as the page needs to know them. The page must stay light, so it does not import the
 * definitions themselves (the engine worker does); a test holds both lists together.
 */
export interface RunSummary {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** For the file picker; empty when the run takes no file. */
  readonly accept: string;
  readonly steps: number;
}

export const runs: readonly RunSummary[] = [
  {
    name: "char-gpt",
    title: "A small GPT that learns to write",
    description: "Learns a text letter by letter: this project's own source, or any text you drop here.",
    accept: ".txt,text/plain",
    steps: 500,
  },
  {
    name: "digits",
    title: "A network that learns to read digits",
    description: "Tells handwritten-looking digits apart, drawn on the fly in many fonts and distortions.",
    accept: "",
    steps: 200,
  },
  {
    name: "addition",
    title: "A small GPT that learns to add",
    description: "Sees sums and their results until it can do new ones on its own.",
    accept: "",
    steps: 400,
  },
];
