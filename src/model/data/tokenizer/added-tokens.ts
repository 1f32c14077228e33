/** Tokens that are found in a text before anything is cut: the `added_tokens` of a tokenizer file. */
import type { Fields } from "./json-fields.ts";

export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Left out by `decode` unless asked for. */
  readonly isSpecial: boolean;
  /** Only between characters that are not of words. */
  readonly singleWord: boolean;
  /** Take the white space before, or behind, with them. */
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  /** Looked for in the normalized text. */
  readonly normalized: boolean;
}

/** @throws CorruptDataError */
export function readAddedToken(fields: Fields): AddedToken {
  const isSpecial = fields.boolean("special", false);
  return {
    id: fields.count("id"),
    content: fields.string("content"),
    isSpecial,
    singleWord: fields.boolean("single_word", false),
    lstrip: fields.boolean("lstrip", false),
    rstrip: fields.boolean("rstrip", false),
    normalized: fields.boolean("normalized", !isSpecial),
  };
}

/** A found token, or text between tokens, which begins at `from` of what was searched. */
export type Found = { readonly token: number } | { readonly text: string; readonly from: number };

const WORD_BEFORE = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u;
const WORD_BEHIND = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;
const SPACE = /^\p{White_Space}$/u;

/** Finds tokens: the leftmost first, the longest of those that begin at one place. */
export class TokenFinder {
  /** By first UTF-16 unit; the longest first. */
  readonly #byFirst = new Map<number, { readonly content: string; readonly token: AddedToken }[]>();

  /** `contentOf`: what a token looks like in the texts that are searched. */
  constructor(tokens: readonly AddedToken[], contentOf: (token: AddedToken) => string) {
    for (const token of tokens) {
      const content = contentOf(token);
      if (content === "") continue;
      const alike = this.#byFirst.get(content.charCodeAt(0)) ?? [];
      alike.push({ content, token });
      alike.sort((a, b) => b.content.length - a.content.length);
      this.#byFirst.set(content.charCodeAt(0), alike);
    }
  }

  find(text: string): Found[] {
    if (this.#byFirst.size === 0) return [{ text, from: 0 }];
    const found: Found[] = [];
    let end = 0;
    for (let at = 0; at < text.length; at++) {
      const match = this.#byFirst.get(text.charCodeAt(at))?.find(({ content }) => text.startsWith(content, at));
      if (match === undefined) continue;
      const { content, token } = match;
      const behind = at + content.length;
      if (!token.singleWord || isApart(text, at, behind)) {
        const from = token.lstrip ? Math.max(spacesBefore(text, at), end) : at;
        if (from > end) found.push({ text: text.slice(end, from), from: end });
        found.push({ token: token.id });
        end = token.rstrip ? spacesBehind(text, behind) : behind;
      }
      at = behind - 1;
    }
    if (end < text.length) found.push({ text: text.slice(end), from: end });
    return found;
  }
}

function isApart(text: string, from: number, to: number): boolean {
  // Two units hold one character of any kind.
  return !WORD_BEFORE.test(text.slice(Math.max(0, from - 2), from)) && !WORD_BEHIND.test(text.slice(to, to + 2));
}

function spacesBefore(text: string, at: number): number {
  let from = at;
  while (from > 0 && SPACE.test(text[from - 1] ?? "")) from -= 1;
  return from;
}

function spacesBehind(text: string, at: number): number {
  let to = at;
  while (to < text.length && SPACE.test(text[to] ?? "")) to += 1;
  return to;
}
