/** WebRTC in Node is a transport like all others. */
import { systemClock } from "../../../../src/base/clock.ts";
import { sleep } from "../../../../src/base/wait.ts";
import { openWrtc } from "../../../../src/host/node/rtc/wrtc.ts";
import { describeTransport } from "../../../network/transport/conformance.ts";
import { NodeRtcPeers } from "../../../network/support/node-rtc.ts";

const connections = await openWrtc();

describeTransport("webrtc transport in Node", () => {
  const peers = new NodeRtcPeers(connections);
  return {
    path: "webrtc",
    join: (peer) => peers.join(peer),
    run: (promise) => promise,
    pass: (ms) => sleep(ms, systemClock),
    end: () => {},
  };
});
