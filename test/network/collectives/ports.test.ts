/** The matrix of collectives over MessagePorts, as tabs of one browser have them; `npm run conformance` does all of it. */
import { afterAll, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import type { Group } from "../../../src/network/collectives/group.ts";
import { ranksOf } from "../../../src/network/collectives/program.ts";
import type { Mux } from "../../../src/network/mux.ts";
import { exchangeTransport } from "../../../src/network/transport/message-port/exchange-transport.ts";
import { PortExchange } from "../../../src/network/transport/message-port/port-exchange.ts";
import { judgeMatrix } from "../../../tools/conformance/network/judge-matrix.ts";
import { matrixCases } from "../../../tools/conformance/network/matrix-cases.ts";
import { runMatrix } from "../../../tools/conformance/network/run-matrix.ts";
import { groupsOf, linkedMuxes } from "../support/linked-groups.ts";

const muxes: Mux[] = [];
const lines: MessagePort[] = [];
afterAll(() => {
  for (const mux of muxes) mux.close();
  for (const line of lines) line.close();
});

async function openGroups(size: number): Promise<Group[]> {
  const exchange = new PortExchange();
  const transports = ranksOf(size).map((rank) => {
    const { port1, port2 } = new MessageChannel();
    lines.push(port1, port2);
    exchange.attach(port2);
    return exchangeTransport(`tab-${rank}`, systemClock, port1);
  });
  const own = await linkedMuxes(transports);
  muxes.push(...own);
  return groupsOf(own, 1);
}

test.each([1, 3, 5])("%i tabs of one browser get what the direct sum is, with the same bits on all", async (size) => {
  const groups = await openGroups(size);
  const cases = matrixCases().filter(({ input, verb }) => input !== "long" || (size === 3 && verb === "all-reduce"));
  const reports = await Promise.all(groups.map((group) => runMatrix(group, cases)));
  expect(judgeMatrix(reports, cases).cases.filter(({ reason }) => reason !== null)).toEqual([]);
});

test("a wrong result and other bits on one rank are found", async () => {
  const [one] = matrixCases();
  if (one === undefined) return expect.fail("expected cases");
  const wrongBy = (difference: number): Group => {
    const allReduce = async (values: Float32Array) => values.map((value) => value + difference);
    return { rank: 0, size: 1, allReduce } as unknown as Group;
  };
  expect((await runMatrix(wrongBy(0), [one])).cases[0]?.fault).toBeNull();
  expect((await runMatrix(wrongBy(1), [one])).cases[0]?.fault).toMatch(/^expected -4 at 0 within 0, found -3$/);
  const [right, other] = ["a", "b"].map((digest, rank) => ({ rank, cases: [{ digest, fault: null }] }));
  if (right === undefined || other === undefined) return expect.fail("expected reports");
  expect(judgeMatrix([right, right], [one]).cases[0]?.reason).toBeNull();
  expect(judgeMatrix([right, other], [one]).cases[0]?.reason).toMatch(/^rank 1: expected the same bits/);
});
