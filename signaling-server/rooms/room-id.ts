/** Names of rooms: whoever knows one may join, so nobody can guess one. */
import type { RandomSource } from "../../src/base/random.ts";

/** Letters and digits that people do not mistake for one another (no i, l, o, 1). 32 of them: 5 bits each. */
const ALPHABET = "abcdefghjkmnpqrstuvwxyz023456789";
const LENGTH = 26;

/** A new name: 130 random bits, 26 characters. A link with it fits a QR code of version 4. */
export function makeRoomId(random: RandomSource): string {
  let id = "";
  for (const byte of random(LENGTH)) id += ALPHABET[byte % ALPHABET.length];
  return id;
}

/** True for anything `makeRoomId` could have made: nothing else becomes part of a path. */
export function isRoomId(text: string): boolean {
  return text.length === LENGTH && [...text].every((character) => ALPHABET.includes(character));
}
