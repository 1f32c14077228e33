/** One token a character. */
import { OptionError } from "../../base/errors.ts";

/** One token for each character (code point) that occurs in a text. */
export class CharTokenizer {
  /** The characters (code points) in ascending order; a token is a place in here. */
  readonly characters: readonly string[];
  readonly #tokens: ReadonlyMap<string, number>;

  /** For the characters that occur in `text`. @throws OptionError for an empty one */
  constructor(text: string) {
    const points = [...new Set(text)].map((character) => character.codePointAt(0) ?? 0).sort((a, b) => a - b);
    if (points.length === 0)
      throw new OptionError("CharTokenizer: expected a text of at least one character, found none");
    this.characters = points.map((point) => String.fromCodePoint(point));
    this.#tokens = new Map(this.characters.map((character, token) => [character, token]));
  }

  /** Distinct tokens. */
  get vocabularySize(): number {
    return this.characters.length;
  }

  /** @throws OptionError for a character that is not in the vocabulary */
  encode(text: string): Int32Array<ArrayBuffer> {
    return Int32Array.from([...text], (character) => {
      const token = this.#tokens.get(character);
      if (token === undefined) {
        throw new OptionError(`CharTokenizer: expected known characters, found ${JSON.stringify(character)}`);
      }
      return token;
    });
  }

  /** @throws OptionError for a number that is no token */
  decode(tokens: Iterable<number>): string {
    return Array.from(tokens, (token) => {
      const character = this.characters[token];
      if (character === undefined) {
        throw new OptionError(`CharTokenizer: expected tokens below ${this.vocabularySize}, found ${token}`);
      }
      return character;
    }).join("");
  }
}
