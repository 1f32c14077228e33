/** What this browser lacks to take part, in one sentence; null when it has all. WebGPU is not asked for: the CPU will do. */
export function missingFeature(): string | null {
  if (typeof RTCPeerConnection === "undefined")
    return "This browser has no WebRTC, so this tab cannot reach the others. A current Chrome, Edge, Firefox or Safari has it, unless it is switched off.";
  if (typeof Worker === "undefined") return "This browser has no web workers, which hearth computes in.";
  if (typeof indexedDB === "undefined")
    return "This browser has no IndexedDB, where this tab would keep its share of the checkpoint.";
  return null;
}
