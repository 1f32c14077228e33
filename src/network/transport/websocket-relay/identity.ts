/**
 * Names that prove themselves: a peer's id is a hash of its public key. Whoever knows the id can tell its owner from
 * anybody else, whatever a server between the two says.
 *
 * ECDH on P-256 by WebCrypto. The private key cannot be read out, and lives as long as its tab.
 */
import type { Bytes } from "../../../base/bytes.ts";
import { hashBytes } from "../../../base/hash.ts";
import type { PeerId } from "../transport.ts";

/** A peer's key pair, and the id that goes with it. Structured-cloneable. */
export interface Identity {
  readonly peer: PeerId;
  /** Uncompressed point, 65 bytes. */
  readonly publicKey: Bytes;
  readonly privateKey: CryptoKey;
}

export const PUBLIC_KEY_BYTES = 65;
/** 160 bits: nobody finds another key of the same name. */
const NAME_CHARACTERS = 40;
const CURVE: EcKeyGenParams = { name: "ECDH", namedCurve: "P-256" };

/** A new peer: `prefix-<hash of its key>`. Needs a secure context, as all of WebCrypto does. */
export async function createIdentity(prefix: string): Promise<Identity> {
  const { publicKey, privateKey } = await crypto.subtle.generateKey(CURVE, false, ["deriveBits"]);
  const bytes = new Uint8Array(await crypto.subtle.exportKey("raw", publicKey));
  return { peer: `${prefix}-${nameOf(bytes)}`, publicKey: bytes, privateKey };
}

/** True when `publicKey` is the one that `peer` is named after. */
export function isKeyOf(peer: PeerId, publicKey: Bytes): boolean {
  return publicKey.byteLength === PUBLIC_KEY_BYTES && peer.endsWith(`-${nameOf(publicKey)}`);
}

/** What the two have in common and nobody else can compute: 32 bytes. @throws DOMException for no point of the curve */
export async function sharedSecret(privateKey: CryptoKey, publicKey: Bytes): Promise<ArrayBuffer> {
  const other = await crypto.subtle.importKey("raw", publicKey, CURVE, false, []);
  return crypto.subtle.deriveBits({ name: "ECDH", public: other }, privateKey, 256);
}

function nameOf(publicKey: Bytes): string {
  return hashBytes(publicKey).slice(0, NAME_CHARACTERS);
}
