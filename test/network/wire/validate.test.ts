import fc from "fast-check";
import { expect, test } from "vitest";
import { ProtocolError } from "../../../src/base/errors.ts";
import type { MemorySummary } from "../../../src/network/wire/memory-summary.ts";
import type { ClientMessage, ServerMessage } from "../../../src/network/wire/messages.ts";
import type { CommitRecord } from "../../../src/network/wire/state-record.ts";
import { PROTOCOL_VERSION, SKETCH } from "../../../src/network/wire/messages.ts";
import { SHARDS, UNITS_MAX } from "../../../src/network/wire/state-record.ts";
import {
  CLIENT_MESSAGE_CHARACTERS_MAX,
  parseClientMessage,
  parseServerMessage,
  versionRefusal,
} from "../../../src/network/wire/validate.ts";

const SEED = 20_260_102;
const HASH = "0123456789abcdef".repeat(4);
const perShard = <T>(value: T): T[] => Array.from({ length: SHARDS }, () => value);
const info = { peer: "tab-1", device: "device-1", engine: "reference: CPU (JavaScript)" };
const inventory = {
  parameterRoots: [HASH],
  optimizer: [[3, HASH] as const],
  stored: [{ step: 5, chain: HASH, shards: [0, 119] }],
};
const counts = { gradients: 1, parameters: 2, optimizerReplica: 3, checkpoint: 4, join: 5, control: 6 };
const times = { compute: 1.5, network: 2, waiting: 0 };
const record: CommitRecord = {
  incarnation: 1,
  epoch: 2,
  step: 3,
  chain: HASH,
  previous: HASH,
  parameterRoot: HASH,
  parameters: perShard(HASH),
  optimizer: perShard(HASH),
  stateHash: HASH,
};

const memory: MemorySummary = {
  pageBytes: 65_536,
  pagesPerCell: 2,
  slabs: ["12p4g100.", "8a"],
  bytesByKind: {
    parameters: 1,
    gradients: 2,
    optimizer: 3,
    activations: 4,
    communication: 5,
    cache: 6,
    other: 7,
  },
  budgetBytes: null,
  takenBytes: 100,
  usedBytes: 28,
  requestedBytes: 27,
  peakBytes: 50,
  plannedBytes: 9,
  boundBytes: 8,
  fragmentation: 0.25,
  hostBytes: 0,
  moves: { count: 1, bytes: 2 },
  pressure: { cachesDropped: 1, recomputed: 2, offloaded: 3, reloaded: 4, microBatched: 5 },
  deviceLosses: 0,
};

const clientMessages: readonly ClientMessage[] = [
  { kind: "hello", protocol: PROTOCOL_VERSION, room: "r", role: "member", info },
  {
    kind: "join",
    engine: "webgpu: SwiftShader",
    slots: 8,
    slotsPerSecond: 2.5,
    inventory,
    genesis: { parameters: perShard(HASH), optimizer: perShard(HASH) },
  },
  { kind: "ready", incarnation: 1, epoch: 2, inventory },
  {
    kind: "vote",
    incarnation: 1,
    epoch: 2,
    step: 3,
    parameterRoot: HASH,
    parameters: [[0, HASH]],
    optimizer: [[1, HASH]],
    losses: [[7, -0.25]],
    times,
    bytesSent: counts,
    paths: { "tab-2": "relay" },
  },
  {
    kind: "vote",
    incarnation: 1,
    epoch: 2,
    step: 3,
    parameterRoot: HASH,
    parameters: [],
    optimizer: [],
    losses: [[7, -0.25]],
    fingerprints: [
      [7, { loss: -0.25, norm: 2.5, sketch: Array.from({ length: SKETCH }, (_, at) => at - 8) }],
      [3, null],
    ],
    times,
    bytesSent: counts,
    paths: {},
  },
  { kind: "failed", incarnation: 1, epoch: 2, reason: "lost tab-2", unreachable: ["tab-2"], missing: [HASH] },
  { kind: "failed", incarnation: 1, epoch: 2, reason: "not finite", unreachable: [], missing: [], slot: 7 },
  { kind: "stored", step: 5, chain: HASH, shards: [1, 2], error: null, ms: 12 },
  { kind: "computed", incarnation: 1, epoch: 2, step: 4, rank: 1 },
  { kind: "digest", step: 5, chain: HASH, digest: HASH },
  { kind: "heartbeat" },
  { kind: "memory", memory },
  { kind: "leave", reason: "paused" },
];

const serverMessages: readonly ServerMessage[] = [
  {
    kind: "welcome",
    spec: {
      run: "char-gpt",
      seed: 7,
      steps: 60,
      checkpointEvery: 5,
      startWith: 4,
      data: { hash: HASH, bytes: 1_115_394, name: "tinyshakespeare.txt" },
      settings: { width: "64" },
    },
    incarnation: 1,
    step: 0,
    peers: ["tab-1"],
    history: [{ step: 1, loss: 4.17 }],
  },
  { kind: "refused", code: "unknown-room", reason: "No such room." },
  {
    kind: "epoch",
    incarnation: 1,
    epoch: 2,
    members: [{ ...info, role: "listener" }],
    map: { owner: perShard(0), replica: perShard(1) },
    record,
    optimizerSources: perShard(["tab-1"]),
    parameterSources: perShard([]),
    stripes: [{ shards: [0, 7], parity: [{ row: 0, parameter: HASH, optimizer: HASH, sources: ["tab-1"] }] }],
    deadlineMs: 20_000,
  },
  { kind: "plan", incarnation: 1, epoch: 2, step: 4, slots: [[0, 1], []], deadlineMs: 30_000 },
  { kind: "plan", incarnation: 1, epoch: 2, step: 4, slots: [[0], [1]], backups: [[1, 0]], deadlineMs: 30_000 },
  { kind: "reduce", incarnation: 1, epoch: 2, step: 4, late: [1] },
  {
    kind: "plan",
    incarnation: 1,
    epoch: 2,
    step: 4,
    slots: [[0, 1], [2]],
    audits: [{ slot: 2, rank: 0 }],
    deadlineMs: 30_000,
  },
  {
    kind: "commit",
    incarnation: 1,
    epoch: 2,
    step: 4,
    chain: HASH,
    parameterRoot: HASH,
    loss: 3.5,
    checkpoint: {
      writers: perShard([0, 1, 2]),
      stripes: [{ shards: [0, 7], parity: [120, 121] }],
      optimizer: perShard(HASH),
      keep: [{ step: 5, chain: HASH }],
    },
  },
  { kind: "waiting", reason: "Shards are missing.", devices: ["device-2"] },
  { kind: "finish", step: 60, chain: HASH },
  {
    kind: "event",
    line: {
      type: "step",
      step: 4,
      loss: 3.5,
      incarnation: 1,
      epoch: 2,
      members: ["tab-1"],
      chain: HASH,
      ms: 900,
      transport: { "tab-1 tab-2": "webrtc" },
      bytesSent: { "tab-1": counts },
      times: { "tab-1": times },
    },
  },
  { kind: "event", line: { type: "member", event: "lost", peer: "tab-1", step: 4, reason: "silent for 6 s" } },
  { kind: "event", line: { type: "straggler", peer: "tab-1", step: 4, action: "backup", reason: "late twice" } },
  { kind: "event", line: { type: "member", event: "join", peer: "tab-1", step: 4 } },
  {
    kind: "event",
    line: { type: "checkpoint", step: 5, generation: 1, ms: 40, copies: 3, digests: { "tab-1": HASH }, errors: {} },
  },
  {
    kind: "event",
    line: { type: "recovery", peer: "tab-1", step: 5, sources: [{ source: "parity", shards: 2, bytes: 80, ms: 4 }] },
  },
  { kind: "event", line: { type: "end", steps: 60, loss: 2.9, digests: { "tab-1": HASH } } },
  { kind: "roster", members: [{ ...info, state: "training", slots: 2, slotsPerSecond: 3 }] },
  {
    kind: "roster",
    members: [
      {
        ...info,
        state: "training",
        slots: 2,
        slotsPerSecond: 3,
        offer: { share: 0.5, minutesLeft: 12, isVisible: false },
      },
    ],
  },
  { kind: "memories", members: [{ peer: "tab-1", memory }] },
];

test.each(clientMessages.map((message) => [message.kind, message] as const))(
  "the client message %s comes through unchanged",
  (_, message) => {
    expect(parseClientMessage(JSON.stringify(message))).toEqual(message);
  },
);

test.each(serverMessages.map((message) => [message.kind, message] as const))(
  "the server message %s comes through unchanged",
  (_, message) => {
    expect(parseServerMessage(JSON.stringify(message))).toEqual(message);
  },
);

/** Fields that a message may do without. */
const OPTIONAL = ["fingerprints", "slot"];

test("a message with any one field missing is refused in one sentence", () => {
  for (const message of clientMessages) {
    for (const key of Object.keys(message)) {
      if (OPTIONAL.includes(key)) continue;
      const { [key]: _, ...rest } = message as unknown as Record<string, unknown>;
      expect(() => parseClientMessage(JSON.stringify(rest)), `${message.kind} without ${key}`).toThrow(ProtocolError);
    }
  }
  expect(() => parseClientMessage('{"kind":"ready","incarnation":1}')).toThrow(
    /^client message "ready": at epoch, expected .*, found undefined$/,
  );
});

test("numbers, lengths and hashes out of bounds are refused", () => {
  const stored = { kind: "stored", step: 5, chain: HASH, shards: [1], error: null, ms: 12 };
  const bad = [
    { ...stored, step: -1 },
    { ...stored, step: 1.5 },
    { ...stored, step: 2 ** 32 },
    { ...stored, chain: HASH.toUpperCase() },
    { ...stored, chain: `${HASH}0` },
    { ...stored, shards: [UNITS_MAX] },
    { ...stored, shards: Array.from({ length: UNITS_MAX + 1 }, () => 0) },
    { ...stored, error: "x".repeat(2_001) },
    { kind: "leave", reason: "x".repeat(501) },
    { kind: "hello", protocol: PROTOCOL_VERSION, room: "r", role: "member", info: { ...info, peer: "<script>" } },
  ];
  for (const message of bad) expect(() => parseClientMessage(JSON.stringify(message))).toThrow(ProtocolError);
});

test("a memory with more cells, slabs or letters than there are, or figures that are none, is refused", () => {
  const { other: _, ...fewer } = memory.bytesByKind;
  const bad = [
    { slabs: ["256p", "p"] },
    { slabs: ["257p"] },
    { slabs: Array.from({ length: 33 }, () => "p") },
    { slabs: ["12p4z"] },
    { slabs: ["p".repeat(257)] },
    { fragmentation: 1.01 },
    { usedBytes: -1 },
    { budgetBytes: "much" },
    { bytesByKind: fewer },
    { moves: { count: 0.5, bytes: 0 } },
  ];
  for (const change of bad) {
    const text = JSON.stringify({ kind: "memory", memory: { ...memory, ...change } });
    expect(() => parseClientMessage(text), text).toThrow(/^client message "memory": at memory\./);
  }
  const extra = { ...memory, slabs: ["256p"], note: "x".repeat(1_000) };
  const kept = parseClientMessage(JSON.stringify({ kind: "memory", memory: extra }));
  expect(kept).toEqual({ kind: "memory", memory: { ...memory, slabs: ["256p"] } });
});

test("a text beyond the bound is refused before it is parsed", () => {
  const text = `{"kind":"heartbeat"}${" ".repeat(CLIENT_MESSAGE_CHARACTERS_MAX)}`;
  expect(() => parseClientMessage(text)).toThrow(/expected at most 524288 characters, found 524308/);
});

test("a hello of another version is recognised, whatever else it holds, and the refusal names both versions", () => {
  for (const hello of [{ room: "r" }, { room: 7, role: "emperor", info: [] }, {}]) {
    const message = parseClientMessage(JSON.stringify({ kind: "hello", protocol: 99, ...hello }));
    expect(message).toMatchObject({ kind: "hello", protocol: 99 });
  }
  expect(versionRefusal(99)).toContain("99");
  expect(versionRefusal(99)).toContain(`version ${PROTOCOL_VERSION}`);
  expect(versionRefusal(PROTOCOL_VERSION)).toBeNull();
});

test("a hello of our version with a wrong field is refused", () => {
  const hello = { kind: "hello", protocol: PROTOCOL_VERSION, room: "r", role: "emperor", info };
  expect(() => parseClientMessage(JSON.stringify(hello))).toThrow(/at role/);
});

test("whatever text arrives, the result is a message or a ProtocolError of one line", () => {
  const hostile = fc.oneof(
    fc.string(),
    fc.json(),
    fc.constantFrom(...clientMessages).chain((message) =>
      fc.tuple(fc.constantFrom(...Object.keys(message)), fc.jsonValue()).map(([key, value]) => {
        return JSON.stringify({ ...message, [key]: value });
      }),
    ),
  );
  const attempt = (parse: (text: string) => unknown, text: string): void => {
    try {
      parse(text);
    } catch (error) {
      expect(error).toBeInstanceOf(ProtocolError);
      expect((error as Error).message).toMatch(/^(client|server) message[^\n]{0,400}$/);
    }
  };
  fc.assert(
    fc.property(hostile, (text) => {
      attempt(parseClientMessage, text);
      attempt(parseServerMessage, text);
    }),
    { seed: SEED, numRuns: 2_000 },
  );
});
