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
  /** What it trains on without a file, and what a file must be. */
  readonly fileHint: string;
  readonly steps: number;
}

export const runs: readonly [RunSummary, ...RunSummary[]] = [
  {
    name: "char-gpt",
    title: "A small GPT that learns to write",
    description: "Learns a text letter by letter: this project's own source, or any text you drop here.",
    accept: ".txt,text/plain",
    fileHint:
      "It comes with a text of its own, this project's source. Drop a text file anywhere on this page to train on that.",
    steps: 500,
  },
  {
    name: "digits",
    title: "A network that learns to read digits",
    description: "Tells digits apart that your browser draws, in many fonts and with many distortions.",
    accept: ".csv,text/csv",
    fileHint:
      "It draws its own digits. To train on others, drop a CSV file: 64 pixels from 0 to 16 in each line, then the label.",
    steps: 300,
  },
  {
    name: "addition",
    title: "A small GPT that learns to add",
    description: "Sees sums and their results until it can do new ones on its own.",
    accept: "",
    fileHint: "",
    steps: 1000,
  },
];

/** The run for a file: `chosen` where it takes such files, else one that does, else one that takes files at all. */
export function runForFile(fileName: string, chosen: RunSummary): RunSummary {
  const ending = fileName.slice(fileName.lastIndexOf(".")).toLowerCase();
  const takes = (run: RunSummary): boolean => run.accept.split(",").includes(ending);
  if (takes(chosen)) return chosen;
  return runs.find(takes) ?? (chosen.accept ? chosen : runs[0]);
}
