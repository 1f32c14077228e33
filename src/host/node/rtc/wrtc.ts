/** WebRTC in Node, from the npm package `@roamhq/wrtc` (libwebrtc). */
import { UnsupportedError } from "../../../base/errors.ts";

/** What makes peer connections: the browser's own, or one that looks like it. */
export type PeerConnections = new (configuration?: RTCConfiguration) => RTCPeerConnection;

/** `RTCPeerConnection` for Node. @throws UnsupportedError where the package is not there, or not for this platform */
export async function openWrtc(): Promise<PeerConnections> {
  try {
    // A CommonJS module, whose names Node does not see; its types know nothing of that.
    const wrtc = (await import("@roamhq/wrtc")) as unknown as {
      readonly default: { RTCPeerConnection: PeerConnections };
    };
    return wrtc.default.RTCPeerConnection;
  } catch (cause) {
    const found = "found that it does not";
    throw new UnsupportedError(`openWrtc: expected the npm package @roamhq/wrtc to load, ${found}`, { cause });
  }
}
