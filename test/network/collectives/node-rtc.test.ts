/** The matrix of collectives over WebRTC in Node; `npm run conformance -- --network node-webrtc` does all of it. */
import { afterAll, expect, test } from "vitest";
import { openWrtc } from "../../../src/host/node/rtc/wrtc.ts";
import { ranksOf } from "../../../src/network/collectives/program.ts";
import { judgeMatrix } from "../../../tools/conformance/network/judge-matrix.ts";
import { matrixCases } from "../../../tools/conformance/network/matrix-cases.ts";
import { runMatrix } from "../../../tools/conformance/network/run-matrix.ts";
import { groupsOf, linkedMuxes } from "../support/linked-groups.ts";
import { NodeRtcPeers } from "../support/node-rtc.ts";

const peers = new NodeRtcPeers(await openWrtc());
const muxes = await linkedMuxes(ranksOf(4).map((rank) => peers.join(`peer-${rank}`)));
afterAll(() => muxes.forEach((mux) => mux.close()));

test.each([2, 3, 4])("%i peers in Node get what the direct sum is, with the same bits on all", async (size) => {
  const groups = groupsOf(muxes, size, size);
  const cases = matrixCases().filter(({ input, verb }) => input !== "long" || (size === 3 && verb === "all-reduce"));
  const reports = await Promise.all(groups.map((group) => runMatrix(group, cases)));
  expect(judgeMatrix(reports, cases).cases.filter(({ reason }) => reason !== null)).toEqual([]);
});
