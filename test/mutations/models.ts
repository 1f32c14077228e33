/** All edited models. */
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

export const MUTATIONS: readonly Mutation[] = [
  transformerShapes,
  transformerMlps,
  attentionMasks,
  stockLayers,
  mixtureOfExperts,
  images,
  sequences,
  generative,
  representations,
  graphs,
  physics,
  recipes,
  halfPrecision,
].flatMap((family) => Object.values<Mutation>(family));
