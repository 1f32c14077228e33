/** All edited models, by family. */
import * as attentionMasks from "./models/attention-masks.ts";
import * as generative from "./models/generative.ts";
import * as graphs from "./models/graphs.ts";
import * as halfPrecision from "./models/half-precision.ts";
import * as images from "./models/images.ts";
import * as mixtureOfExperts from "./models/mixture-of-experts.ts";
import * as physics from "./models/physics.ts";
import * as recipes from "./models/recipes.ts";
import * as representations from "./models/representations.ts";
import * as sequences from "./models/sequences.ts";
import * as stockLayers from "./models/stock-layers.ts";
import * as transformerMlps from "./models/transformer-mlps.ts";
import * as transformerShapes from "./models/transformer-shapes.ts";
import type { Mutation } from "./mutation.ts";

const models = (...families: readonly Readonly<Record<string, Mutation>>[]): readonly Mutation[] =>
  families.flatMap((family) => Object.values(family));

export const TRANSFORMERS: readonly Mutation[] = models(
  transformerShapes,
  transformerMlps,
  attentionMasks,
  stockLayers,
  mixtureOfExperts,
  recipes,
);

export const OTHERS: readonly Mutation[] = models(
  images,
  sequences,
  generative,
  representations,
  graphs,
  physics,
  halfPrecision,
);

export const MUTATIONS: readonly Mutation[] = [...TRANSFORMERS, ...OTHERS];
