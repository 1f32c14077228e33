/** Friendly names for peers. An id is long and unguessable; people need something to call the tab across the room. */

const FIRST =
  "amber bright brisk bronze calm clear cobalt copper coral crimson dusky eager early fabled fair fleet gentle gilded glad golden hardy hazel honest humble indigo ivory jolly keen kind lively lucid lunar mellow merry mild misty noble olive opal patient pearl plucky proud quick quiet rosy ruby russet rustic sable scarlet sienna silver snowy solar steady sunny swift tawny tidy umber velvet violet warm";
const SECOND =
  "alder aspen badger beaver beech birch bison bracken briar cedar clover condor crane cricket cypress dove elder elm falcon fern finch fir fox gannet hare hawk heron holly ibis ivy jackdaw juniper kestrel larch lark linden linnet lynx magpie maple marten mole moss oak osprey otter owl pine plover poplar puffin quail raven robin rowan sorrel sparrow spruce stork swift thistle willow wren yew";

const first = FIRST.split(" ");
const second = SECOND.split(" ");

/** FNV-1a, 32 bits: spreads ids over names. Not for anything that must hold against an adversary. */
function spread(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  // One more round of mixing: the low bits of FNV of similar ids lie close together.
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** Two words, the same in every tab: "Copper Wren". 4,096 of them, so namesakes are rare in a room of forty. */
export function peerName(peer: string): string {
  const hash = spread(peer);
  const words = [first[hash % first.length], second[(hash >>> 8) % second.length]];
  return words.map((word = "") => word.slice(0, 1).toUpperCase() + word.slice(1)).join(" ");
}

/** A hue in degrees for the member's colour, in steps that the eye can tell apart. */
export function peerHue(peer: string): number {
  return ((spread(peer) >>> 16) % 24) * 15;
}
