/**
 * Bytes as printable characters, so that a vocabulary of strings can hold any of them.
 *
 * Source: the encoder of GPT-2 (Radford et al., 2019): printable Latin-1 characters stand for themselves, the other 68
 * bytes, in order, for U+0100 and up.
 */

/** How GPT-2 cuts a text into words, each with the space before it. */
export const GPT2_PATTERN: RegExp =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

const CHARACTERS: readonly string[] = charactersOfBytes();
const BYTES: ReadonlyMap<string, number> = new Map(CHARACTERS.map((character, byte) => [character, byte]));

const encoder = new TextEncoder();

/** The 256 characters, by byte. */
export function byteCharacters(): readonly string[] {
  return CHARACTERS;
}

/** A character for each byte of the text's UTF-8. */
export function toByteCharacters(text: string): string {
  let out = "";
  for (const byte of encoder.encode(text)) out += CHARACTERS[byte] ?? "";
  return out;
}

/** The bytes of `token`; those of its UTF-8 where it has a character that stands for no byte. */
export function bytesOfToken(token: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of token) {
    const byte = BYTES.get(character);
    if (byte === undefined) return encoder.encode(token);
    bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

function charactersOfBytes(): string[] {
  const isPrintable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : next++));
}
