/**
 * Rendezvous hashing (Thaler & Ravishankar, 1998): every candidate scores for a key, the highest take it. The same
 * wherever it is computed, and a candidate that comes or goes moves only what it gains or had.
 */

/** `names` by their score for `key`, highest first. Costs a few multiplications a name. */
export function byScore(names: readonly string[], key: number): string[] {
  const scored = names.map((name) => ({ name, score: mixed(hashed(name) ^ Math.imul(key + 1, 0x9e3779b9)) }));
  scored.sort((a, b) => b.score - a.score || (a.name < b.name ? -1 : 1));
  return scored.map(({ name }) => name);
}

/** FNV-1a, 32 bits. */
function hashed(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}

/** MurmurHash3's finalizer: every bit of the result hangs on every bit of `word`. */
function mixed(word: number): number {
  let hash = word;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
