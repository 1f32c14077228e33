/** What is put around the tokens of a text, such as its beginning and end: the `post_processor` of a tokenizer file. */
import { excerpt } from "../excerpt.ts";
import type { Fields } from "./json-fields.ts";

export type PostProcessor = (tokens: readonly number[]) => number[];

/** @throws CorruptDataError, UnsupportedError for a type that is not done here */
export function readPostProcessor(fields: Fields): PostProcessor {
  switch (fields.string("type")) {
    case "Sequence": {
      const steps = fields.objects("processors").map(readPostProcessor);
      return (tokens) => steps.reduce<number[]>((value, step) => step(value), [...tokens]);
    }
    case "ByteLevel":
      return (tokens) => [...tokens]; // It moves offsets, which are not kept here.
    case "TemplateProcessing":
      return template(fields);
    case "BertProcessing":
    case "RobertaProcessing": {
      const [first, last] = [pairOf(fields, "cls"), pairOf(fields, "sep")];
      return (tokens) => [first, ...tokens, last];
    }
    default:
      throw fields.unsupported("type", "a post-processor that is done here");
  }
}

/** Parts of a template: tokens, or null for those of the text. */
function template(fields: Fields): PostProcessor {
  const special = fields.objectOrNull("special_tokens");
  const parts = fields.objects("single").map((part): readonly number[] | null => {
    const sequence = part.objectOrNull("Sequence");
    if (sequence !== null) {
      if (sequence.string("id") !== "A") throw sequence.wrong("id", "the one text, A");
      return null;
    }
    const id = part.object("SpecialToken").string("id");
    if (special?.raw(id) === undefined) throw fields.wrong("special_tokens", `a token ${excerpt(id)}`);
    return special.object(id).counts("ids");
  });
  return (tokens) => parts.flatMap((part) => part ?? tokens);
}

/** `["</s>", 2]`. */
function pairOf(fields: Fields, name: string): number {
  const [token, id, ...more] = fields.list(name);
  const isToken = typeof token === "string" && Number.isInteger(id) && (id as number) >= 0 && (id as number) < 2 ** 31;
  if (!isToken || more.length > 0) throw fields.wrong(name, "a token and its number");
  return id as number;
}
