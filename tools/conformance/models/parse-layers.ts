/**
 * Layers as people write them: "conv 1->6 k3 p1, relu, maxpool 2, flatten, linear 32->10", or a list of such texts, or of
 * objects such as { type: "conv", kernelSize: 3 }.
 *
 * A layer is a name and words: sizes ("1->6", "17x8", "2"), options ("k3", "k=3", "stride 2", "padding same") and flags
 * ("ceil"). Remarks in parentheses may hold options too; what else they say is passed over.
 */
import { UnsupportedError } from "../../../src/base/errors.ts";
import { plainName } from "./activations.ts";

const OPTIONS: Readonly<Record<string, string>> = {
  k: "kernelSize", kernel: "kernelSize", kernelsize: "kernelSize", ks: "kernelSize",
  s: "stride", stride: "stride",
  p: "padding", pad: "padding", padding: "padding",
  d: "dilation", dilation: "dilation",
  g: "groups", group: "groups", groups: "groups", numgroups: "groups",
  op: "outputPadding", outpad: "outputPadding", outputpadding: "outputPadding",
  eps: "eps", momentum: "momentum", slope: "number", negativeslope: "number", alpha: "number", beta: "number",
  scale: "scaleFactor", scalefactor: "scaleFactor", size: "size", outputsize: "size", factor: "scaleFactor",
  mode: "mode", paddingmode: "paddingMode", rate: "rate", prob: "rate",
  dim: "axis", axis: "axis", layers: "layers", layer: "layers", numlayers: "layers",
}; // prettier-ignore

const FLAGS: Readonly<Record<string, readonly [name: string, value: string | boolean]>> = {
  same: ["padding", "same"],
  valid: ["padding", "valid"],
  ceil: ["ceilMode", true],
  ceilmode: ["ceilMode", true],
  aligncorners: ["alignCorners", true],
  reflect: ["paddingMode", "reflect"],
  replicate: ["paddingMode", "replicate"],
  circular: ["paddingMode", "circular"],
  zeros: ["paddingMode", "zeros"],
  nearest: ["mode", "nearest"],
  bilinear: ["mode", "bilinear"],
  bicubic: ["mode", "bicubic"],
  tanh: ["approximate", "tanh"],
  relu: ["nonlinearity", "relu"],
  exact: ["approximate", "none"],
  bias: ["bias", true],
  nobias: ["bias", false],
  bidirectional: ["bidirectional", true],
  batchfirst: ["batchFirst", true],
};

/** A number, numbers of several axes, or a word. */
export type OptionValue = number | string | boolean | readonly number[];

export interface LayerText {
  /** As it was written, for messages. */
  readonly text: string;
  /** In lower case, without separators: "maxpool", "leakyrelu". */
  readonly name: string;
  /** Numbers without a name: "1->6" are two, "3x3" is one. */
  readonly sizes: readonly (number | readonly number[])[];
  readonly options: Readonly<Record<string, OptionValue>>;
}

/** @throws UnsupportedError for words that say nothing that it knows */
export function parseLayers(layers: unknown): LayerText[] {
  const list = typeof layers === "string" ? splitOutside(layers) : Array.isArray(layers) ? (layers as unknown[]) : [];
  return list.map((item) => {
    if (typeof item === "string") return parseText(item);
    if (typeof item === "object" && item !== null) return parseObject(item as Record<string, unknown>);
    throw new UnsupportedError(`model: expected layers as text, found ${JSON.stringify(item)}`);
  });
}

/** The parts between commas, semicolons, bars and line ends that are not in parentheses. */
function splitOutside(text: string): string[] {
  const parts = [""];
  let depth = 0;
  for (const char of text) {
    if (/[([]/.test(char)) depth += 1;
    if (/[)\]]/.test(char)) depth -= 1;
    if (depth === 0 && /[,;|\n]/.test(char)) parts.push("");
    else parts.push(`${parts.pop() ?? ""}${char}`);
  }
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}

function parseText(text: string): LayerText {
  const remarks = [...text.matchAll(/\(([^)]*)\)/g)].map(([, remark = ""]) => remark).join(" ");
  const [first = "", ...words] = text.replace(/\([^)]*\)/g, " ").trim().split(/\s+/); // prettier-ignore
  const sizes: LayerText["sizes"][number][] = [];
  const options: Record<string, OptionValue> = {};
  takeOptions(remarks.split(/[\s,]+/), options, () => {});
  takeOptions(words, options, (word) => {
    const numbers = word.split(/->|→|x|×|\*/).map(Number);
    if (word === "" || numbers.some((n) => !Number.isFinite(n))) {
      throw new UnsupportedError(`model: expected sizes, one of the options ${Object.keys(OPTIONS).join(", ")} or one of ${Object.keys(FLAGS).join(", ")} in "${text}", found "${word}"`); // prettier-ignore
    }
    if (/->|→/.test(word)) sizes.push(...numbers);
    else sizes.push(numbers.length === 1 ? (numbers[0] ?? 0) : numbers);
  });
  return { text, name: plainName(first), sizes, options };
}

/** Puts what is an option into `options`, and gives the rest to `others`. */
function takeOptions(words: readonly string[], options: Record<string, OptionValue>, others: (word: string) => void): void {
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    const [, key = "", value = ""] = /^([a-z_-]+)[=:]?([\d.][\d.x×]*|same|valid|)$/i.exec(word) ?? /^([a-z_]+)[=:](\w+)$/i.exec(word) ?? []; // prettier-ignore
    const name = OPTIONS[plainName(key)];
    const flag = FLAGS[plainName(word)];
    if (name !== undefined && value !== "") options[name] = optionValue(value);
    else if (name !== undefined && /^([\d.][\d.x×]*|same|valid)$/.test(words[i + 1] ?? "")) {
      options[name] = optionValue(words[++i] ?? "");
    } else if (flag !== undefined) options[flag[0]] = flag[1];
    else others(word);
  }
} // prettier-ignore

function optionValue(text: string): OptionValue {
  const numbers = text.split(/x|×/).map(Number);
  if (numbers.some((n) => Number.isNaN(n))) return text;
  return numbers.length === 1 ? (numbers[0] ?? 0) : numbers;
}

const NAMES = ["type", "kind", "layer", "name", "op"];

function parseObject(item: Readonly<Record<string, unknown>>): LayerText {
  const key = NAMES.find((candidate) => typeof item[candidate] === "string");
  if (key === undefined)
    throw new UnsupportedError(`model: expected a layer with a type, found ${JSON.stringify(item)}`);
  const options: Record<string, OptionValue> = {};
  for (const [name, value] of Object.entries(item)) {
    if (name !== key) options[OPTIONS[plainName(name)] ?? name] = value as OptionValue;
  }
  return { text: JSON.stringify(item), name: plainName(String(item[key])), sizes: [], options };
}
