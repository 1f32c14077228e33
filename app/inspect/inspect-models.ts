/** The models whose step can be inspected, as the page needs to know them; `inspect-steps.ts` builds them. */
export interface InspectModel {
  readonly name: string;
  readonly title: string;
  /** What one step sees. */
  readonly batch: string;
  /** Its shape and its optimizer. */
  readonly about: string;
}

export const inspectModels: readonly [InspectModel, ...InspectModel[]] = [
  { name: "mlp", title: "A small MLP", batch: "128 images", about: "of 784 pixels, through 256 and 256 to 10, SGD" },
  { name: "digits", title: "A small CNN: the run digits", batch: "64 images", about: "two convolutions, AdamW" },
  { name: "char-gpt", title: "A small GPT: the run char-gpt", batch: "8 texts", about: "of 64, two blocks, AdamW" },
  { name: "addition", title: "A small GPT: the run addition", batch: "64 sums", about: "two blocks, AdamW" },
];

/** The model named so; the first one for any other name. */
export function inspectModel(name: string | null): InspectModel {
  return inspectModels.find((model) => model.name === name) ?? inspectModels[0];
}
