/** What is done to a text before it is cut: the `normalizer` of a tokenizer file. */
import { toByteCharacters } from "./byte-level.ts";
import type { Fields } from "./json-fields.ts";
import { readPattern } from "./read-pattern.ts";

export type Normalizer = (text: string) => string;

/** @throws CorruptDataError, UnsupportedError for a type that is not done here */
export function readNormalizer(fields: Fields): Normalizer {
  const type = fields.string("type");
  switch (type) {
    case "Sequence": {
      const steps = fields.objects("normalizers").map(readNormalizer);
      return (text) => steps.reduce((value, step) => step(value), text);
    }
    case "NFC":
    case "NFD":
    case "NFKC":
    case "NFKD":
      return (text) => text.normalize(type);
    case "Lowercase":
      return lowercase;
    case "Strip":
      return strip(fields.boolean("strip_left", true), fields.boolean("strip_right", true));
    case "StripAccents":
      return (text) => text.replace(/\p{Mn}/gu, "");
    case "Replace": {
      const pattern = readPattern(fields);
      const content = fields.string("content");
      return (text) => text.replace(pattern, () => content);
    }
    case "Prepend": {
      const prefix = fields.string("prepend");
      return (text) => (text === "" ? "" : prefix + text);
    }
    case "ByteLevel":
      return toByteCharacters;
    case "BertNormalizer":
      return bert(fields);
    default:
      throw fields.unsupported("type", "a normalizer that is done here");
  }
}

/** Letter by letter: no rules of context. */
function lowercase(text: string): string {
  let out = "";
  for (const character of text) out += character.toLowerCase();
  return out;
}

function strip(left: boolean, right: boolean): Normalizer {
  return (text) => {
    const end = right ? text.replace(/\p{White_Space}+$/u, "") : text;
    return left ? end.replace(/^\p{White_Space}+/u, "") : end;
  };
}

/** Chinese characters in Unicode's blocks of unified and compatibility ideographs. */
const CHINESE =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/gu;

function bert(fields: Fields): Normalizer {
  const cleans = fields.boolean("clean_text", true);
  const spaces = fields.boolean("handle_chinese_chars", true);
  const lowers = fields.boolean("lowercase", true);
  const strips = fields.raw("strip_accents") == null ? lowers : fields.boolean("strip_accents");
  return (text) => {
    let out = text;
    if (cleans)
      out = out.replace(/\0|\ufffd|(?![\t\n\r])[\p{Cc}\p{Cf}\p{Cn}\p{Co}]/gu, "").replace(/\p{White_Space}/gu, " ");
    if (spaces) out = out.replace(CHINESE, (character) => ` ${character} `);
    if (strips) out = out.normalize("NFD").replace(/\p{Mn}/gu, "");
    return lowers ? lowercase(out) : out;
  };
}
