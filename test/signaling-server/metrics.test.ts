import { expect, test } from "vitest";
import { Metrics } from "../../signaling-server/metrics.ts";
import { commit, hello } from "./samples.ts";
import { createRoom, metric, testServer, TestSocket } from "./support.ts";

const GAUGES = {
  uptimeSeconds: 1.5,
  roomsLoaded: 1,
  roomsStored: 2,
  members: 3,
  observers: 4,
  checkpointAgeSeconds: null,
  logBytes: 5,
  peerSockets: 6,
  relaySockets: 2,
  relayWaitingBytes: 4_096,
};

/** Prometheus' text format, as its specification has it. @returns samples by name and labels */
function parsePrometheus(text: string): Map<string, number> {
  const types = new Map<string, string>();
  const samples = new Map<string, number>();
  expect(text.endsWith("\n")).toBe(true);
  for (const line of text.trimEnd().split("\n")) {
    const type = /^# TYPE ([a-z_]+) (gauge|counter)$/.exec(line);
    if (type) {
      expect(types.has(type[1] ?? ""), `two types: ${line}`).toBe(false);
      types.set(type[1] ?? "", type[2] ?? "");
      continue;
    }
    if (/^# HELP [a-z_]+ \S.*$/.test(line)) continue;
    const sample = /^([a-z_]+)(\{[a-z]+="[^"\\]+"(?:,[a-z]+="[^"\\]+")*\})? (\S+)$/.exec(line);
    expect(sample, `no sample: ${line}`).not.toBeNull();
    const [, name = "", labels = "", value] = sample ?? [];
    expect(types.has(name), `no type before ${line}`).toBe(true);
    expect(types.get(name) === "counter", `counters end in _total: ${line}`).toBe(name.endsWith("_total"));
    expect(samples.has(name + labels), `twice: ${line}`).toBe(false);
    expect(Number.isFinite(Number(value)), line).toBe(true);
    samples.set(name + labels, Number(value));
  }
  return samples;
}

test("metrics parse, and count what happened", () => {
  const metrics = new Metrics();
  for (const step of [0, 1, 2]) metrics.record(commit(step));
  metrics.record({ kind: "epoch", epoch: 1, members: [] });
  metrics.record({ kind: "rollback", generation: 0, step: 0 });
  metrics.record({ kind: "end", step: 2, digests: {} });
  metrics.line({ type: "abort", step: 1, reason: "x" });
  metrics.line({ type: "member", event: "lost", peer: "p", step: 1 });
  metrics.message("in", 10);
  metrics.message("in", 20);
  metrics.refused("busy");
  const samples = parsePrometheus(metrics.render({ ...GAUGES, checkpointAgeSeconds: 7 }));
  metrics.stop();
  expect(Object.fromEntries(samples)).toMatchObject({
    hearth_uptime_seconds: 1.5,
    hearth_rooms: 1,
    hearth_rooms_stored: 2,
    hearth_members_connected: 3,
    hearth_steps_committed_total: 2,
    hearth_epochs_total: 1,
    hearth_rollbacks_total: 1,
    hearth_checkpoints_total: 0,
    hearth_aborts_total: 1,
    'hearth_member_events_total{event="lost"}': 1,
    hearth_checkpoint_age_seconds: 7,
    'hearth_ws_messages_total{direction="in"}': 2,
    'hearth_ws_bytes_total{direction="in"}': 30,
    'hearth_refused_total{code="busy"}': 1,
  });
});

test("a gauge that nothing is known of has no sample", () => {
  const metrics = new Metrics();
  expect(parsePrometheus(metrics.render(GAUGES)).has("hearth_checkpoint_age_seconds")).toBe(false);
  metrics.stop();
});

test("a running server tells its health and its metrics, and no room's name", async () => {
  const server = await testServer();
  const room = await createRoom(server.origin);
  const socket = await TestSocket.open(server.origin, hello(room), { kind: "heartbeat" });
  await socket.hear("welcome");
  const health = await fetch(`${server.origin}/healthz`);
  expect(health.status).toBe(200);
  expect(await health.json()).toEqual({ ok: true, uptime: expect.any(Number) as number, rooms: 1, version: "1.2.3" });
  const response = await fetch(`${server.origin}/metrics`);
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const text = await response.text();
  const samples = parsePrometheus(text);
  expect(samples.get("hearth_members_connected")).toBe(1);
  expect(samples.get("hearth_log_bytes")).toBeGreaterThan(200);
  expect(samples.get('hearth_ws_messages_total{direction="out"}')).toBeGreaterThan(0);
  expect(text).not.toContain(room);
  socket.close();
  await server.end();
});

test("members that leave are counted out", async () => {
  const server = await testServer();
  const room = await createRoom(server.origin);
  const socket = await TestSocket.open(server.origin, hello(room));
  await socket.hear("welcome");
  expect(await metric(server.origin, "hearth_members_connected")).toBe(1);
  socket.close();
  await expect.poll(() => metric(server.origin, "hearth_members_connected")).toBe(0);
  await server.end();
});
