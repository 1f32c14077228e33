/**
 * The whole server on one port: the app, rooms, the coordinator's sockets, PeerJS signaling, health and metrics.
 * It puts the parts together and decides nothing else.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { Clock } from "../src/base/clock.ts";
import { describeError, OptionError } from "../src/base/errors.ts";
import type { RandomSource } from "../src/base/random.ts";
import { sleep, withDeadline } from "../src/base/wait.ts";
import { RELAY_PATH } from "../src/network/wire/relay-message.ts";
import { POOL_PATH } from "../src/network/wire/pool-message.ts";
import { MEMBERS_MAX } from "../src/network/wire/schemas.ts";
import { POOL_LIMITS, type PoolLimits } from "../src/training/coordinator/pool.ts";
import type { Limits } from "../src/training/coordinator/protocol.ts";
import { COORDINATOR_PATH, CoordinatorSockets } from "./coordinator-sockets.ts";
import { handleRooms, isRoomsApi } from "./http/rooms-api.ts";
import { sendJson, sendText } from "./http/reply.ts";
import { serveStatic } from "./http/static-files.ts";
import { FileLogStore } from "./log/file-log-store.ts";
import { type JetStreamAddress, JetStreamStore } from "./log/jet-stream-store.ts";
import type { LogStore } from "./log/log-store.ts";
import { type Gauges, Metrics } from "./metrics.ts";
import { createPeerSignaling, type PeerSignaling } from "./peer-signaling.ts";
import { RELAY_LIMITS, type RelayLimits } from "./relay/relay-ledger.ts";
import { RelaySockets } from "./relay/relay-sockets.ts";
import { type IceOptions, Tickets } from "./relay/tickets.ts";
import { PoolDriver } from "./pool/pool-driver.ts";
import { PoolSockets } from "./pool/pool-sockets.ts";
import type { OpenCoordinator } from "./rooms/room-driver.ts";
import { Rooms } from "./rooms/rooms.ts";

const ROOMS_STORED_MAX = 10_000;
const ROOMS_LOADED_MAX = 500;
/** Who is in the pool, which runs wait for it, and why. */
const QUEUE_PATH = "/queue";
const NO_ICE: IceOptions = { stun: [], turn: [], turnSecret: null };
const SECRET_BYTES = 32;
const ROOM_IDLE_MS_MAX = 10 * 60_000;
const HEADERS_MS_MAX = 10_000;
const REQUEST_MS_MAX = 30_000;
const TAKEOVER_MS_MAX = 1_000;
const TAKEOVER_RETRY_MS = 100;
/** A shutdown: for rooms to end between two events, then for sockets to say goodbye. */
const ROOMS_STOP_MS_MAX = 1_500;
const GOODBYE_MS_MAX = 500;

export interface ServerOptions {
  /** 0 for any that is free. */
  readonly port: number;
  /** Of the interface to listen on; all of them when undefined. */
  readonly host?: string | undefined;
  /** Of the logs, where `logAddress` names no other place. */
  readonly dataDirectory: string;
  /** Of a NATS server with JetStream, which other servers may share; null or left out for files. */
  readonly logAddress?: JetStreamAddress | null;
  /** The built app; null serves none. */
  readonly appDirectory: string | null;
  readonly version: string;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly limits: Limits;
  readonly open: OpenCoordinator;
  /** For people: what went wrong, a line each. */
  readonly log: (line: string) => void;
  /** What differs from `POOL_LIMITS`. */
  readonly poolLimits?: Partial<PoolLimits>;
  readonly roomsStoredMax?: number;
  readonly roomIdleMsMax?: number;
  readonly roomMembersMax?: number;
  /** STUN and TURN servers that members are told of; none unless told. */
  readonly ice?: IceOptions;
  /** What differs from `RELAY_LIMITS`; null for no relay at all. */
  readonly relay?: Partial<RelayLimits> | null;
}

export interface RunningServer {
  readonly port: number;
  /** Within about 2 s: no more requests, rooms ended, logs closed, the data folder free. */
  stop(): Promise<void>;
}

interface Parts {
  readonly options: ServerOptions;
  readonly startedAtMs: number;
  readonly metrics: Metrics;
  readonly logs: LogStore;
  readonly rooms: Rooms;
  readonly pool: PoolDriver;
  readonly poolSockets: PoolSockets;
  readonly sockets: CoordinatorSockets;
  readonly peers: PeerSignaling;
  readonly relay: RelaySockets | null;
}

/** Resolves when it answers. @throws OptionError when the port is taken or the data folder in use; QuotaError */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  let parts: Parts | null = null;
  const server = createServer({ keepAlive: true }, (request, response) => {
    if (parts) void answer(parts, request, response);
    else sendText(response, 503, "The server is starting: try again in a moment.\n");
  });
  server.headersTimeout = HEADERS_MS_MAX;
  server.requestTimeout = REQUEST_MS_MAX;
  server.on("upgrade", (request, socket, head) => {
    if (parts) upgrade(parts, request, socket, head);
    else socket.destroy();
  });
  // The port first: when somebody starts a second server, that is what to tell them about.
  await patiently(options.clock, () => listen(server, options));
  try {
    const logs = await patiently(options.clock, () => openLogs(options));
    try {
      parts = await assemble(server, options, logs);
    } catch (error) {
      await logs.close();
      throw error;
    }
    const assembled = parts;
    return { port: (server.address() as AddressInfo).port, stop: () => stop(server, assembled) };
  } catch (error) {
    server.close();
    server.closeAllConnections();
    throw error;
  }
}

function openLogs({ dataDirectory, logAddress = null }: ServerOptions): Promise<LogStore> {
  return logAddress === null ? FileLogStore.open(dataDirectory) : JetStreamStore.open(logAddress);
}

async function assemble(server: Server, options: ServerOptions, logs: LogStore): Promise<Parts> {
  const { clock, log, random, limits, open } = options;
  const metrics = new Metrics();
  const pool = new PoolDriver({
    clock,
    limits: { ...POOL_LIMITS, ...options.poolLimits },
    hold: (room, isHeld) => rooms.hold(room, isHeld),
  });
  const rooms = await Rooms.open({
    logs,
    clock,
    random,
    limits,
    open,
    log,
    storedMax: options.roomsStoredMax ?? ROOMS_STORED_MAX,
    loadedMax: ROOMS_LOADED_MAX,
    membersMax: options.roomMembersMax ?? MEMBERS_MAX,
    idleMsMax: options.roomIdleMsMax ?? ROOM_IDLE_MS_MAX,
    onLine: (line) => metrics.line(line),
    onMade: (room, spec) => pool.add({ room, spec, step: 0, checkpoint: null }),
    onAppend: (record, room) => {
      metrics.record(record);
      pool.logged(room, record);
    },
    onRefusal: (code) => metrics.refused(code),
  });
  const tickets = new Tickets(random(SECRET_BYTES));
  const relayLimits = { ...RELAY_LIMITS, ...options.relay };
  const relay = options.relay === null ? null : new RelaySockets({ tickets, limits: relayLimits, clock, metrics, log });
  const paths = { ice: options.ice ?? NO_ICE, tickets: relay === null ? null : tickets };
  const sockets = new CoordinatorSockets({ rooms, clock, metrics, log, paths });
  const peers = createPeerSignaling(server, clock, log);
  const poolSockets = new PoolSockets({ pool, clock, metrics, log });
  void requeue(rooms, pool);
  return { options, startedAtMs: clock.nowMs(), metrics, logs, rooms, pool, poolSockets, sockets, peers, relay };
}

/** Runs that were in the queue before this process are in it again, as their logs tell them. */
async function requeue(rooms: Rooms, pool: PoolDriver): Promise<void> {
  for await (const { room, step, hasEnded, checkpoint } of rooms.summaries()) {
    if (!hasEnded) pool.add({ room: room.room, spec: room.spec, step, checkpoint });
  }
}

/** Tries again for a moment: a server that was just killed may not have let go yet. */
async function patiently<T>(clock: Clock, work: () => Promise<T>): Promise<T> {
  const untilMs = clock.nowMs() + TAKEOVER_MS_MAX;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof OptionError) || clock.nowMs() >= untilMs) throw error;
      await sleep(TAKEOVER_RETRY_MS, clock);
    }
  }
}

function listen(server: Server, { port, host }: ServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => void server.off("error", onError).off("listening", onListening);
    const onError = (error: NodeJS.ErrnoException): void => {
      end();
      reject(listenError(port, error));
    };
    const onListening = (): void => {
      end();
      resolve();
    };
    server.once("error", onError).once("listening", onListening).listen({ port, host });
  });
}

function listenError(port: number, cause: NodeJS.ErrnoException): OptionError {
  const other = `choose another one, for example with --port ${port < 65_535 ? port + 1 : 8080}`;
  const found: Readonly<Record<string, string>> = {
    EADDRINUSE: "another program uses it",
    EACCES: "this user may not use it",
  };
  return new OptionError(`Port ${port} cannot be had, ${found[cause.code ?? ""] ?? describeError(cause)}: ${other}.`, {
    cause,
  });
}

async function answer(parts: Parts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const pathname = (request.url ?? "/").split(/[?#]/, 1)[0] ?? "/";
  try {
    if (parts.peers.owns(pathname)) parts.peers.handle(request, response);
    else if (isRoomsApi(pathname)) {
      await handleRooms({ rooms: parts.rooms, random: parts.options.random }, request, response, pathname);
    } else if (pathname === QUEUE_PATH) sendJson(response, 200, parts.pool.view());
    else if (pathname === "/healthz") sendJson(response, 200, health(parts));
    else if (pathname === "/metrics") {
      sendText(response, 200, parts.metrics.render(gaugesOf(parts)), "text/plain; version=0.0.4; charset=utf-8");
    } else await serveStatic(parts.options.appDirectory, request, response, pathname);
  } catch (error) {
    if (request.errored || request.destroyed) return; // The client went away in the middle.
    parts.options.log(`${request.method} ${pathname.slice(0, 12)}: ${describeError(error)}`);
    if (response.headersSent) response.destroy();
    else sendText(response, 500, "The server failed on this request; its log says why.\n");
  }
}

function upgrade(parts: Parts, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const pathname = (request.url ?? "/").split("?", 1)[0] ?? "/";
  if (parts.peers.owns(pathname)) return parts.peers.upgrade(request, socket, head);
  const sockets: Readonly<Record<string, Upgrading | null>> = {
    [COORDINATOR_PATH]: parts.sockets,
    [RELAY_PATH]: parts.relay,
    [POOL_PATH]: parts.poolSockets,
  };
  const ours = sockets[pathname] ?? null;
  if (ours?.upgrade(request, socket, head)) return;
  socket.on("error", () => socket.destroy());
  socket.end(`HTTP/1.1 ${ours ? "503 Service Unavailable" : "404 Not Found"}\r\nConnection: close\r\n\r\n`);
}

/** Takes a WebSocket, or says that it has too many. */
interface Upgrading {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
}

function health(parts: Parts): { ok: true; uptime: number; rooms: number; version: string } {
  const uptime = Math.round(parts.options.clock.nowMs() - parts.startedAtMs) / 1000;
  return { ok: true, uptime, rooms: [...parts.rooms.loaded()].length, version: parts.options.version };
}

function gaugesOf(parts: Parts): Gauges {
  const nowMs = parts.options.clock.nowMs();
  const gauges = {
    uptimeSeconds: (nowMs - parts.startedAtMs) / 1000,
    roomsLoaded: 0,
    roomsStored: parts.rooms.stored,
    members: 0,
    observers: 0,
    checkpointAgeSeconds: null as number | null,
    logBytes: 0,
    peerSockets: parts.peers.sockets,
    relaySockets: parts.relay?.sockets ?? 0,
    relayWaitingBytes: parts.relay?.waitingBytes ?? 0,
  };
  for (const { driver, log, checkpointAtMs } of parts.rooms.loaded()) {
    const members = driver.count("member");
    gauges.roomsLoaded += 1;
    gauges.members += members;
    gauges.observers += driver.count("observer");
    gauges.logBytes += log.bytes;
    if (members === 0 || checkpointAtMs === null) continue;
    gauges.checkpointAgeSeconds = Math.max(gauges.checkpointAgeSeconds ?? 0, (nowMs - checkpointAtMs) / 1000);
  }
  return gauges;
}

async function stop(server: Server, parts: Parts): Promise<void> {
  const { options, logs, rooms, pool, poolSockets, sockets, peers, relay, metrics } = parts;
  const { clock, log } = options;
  const ignore = (what: string) => (error: unknown) => log(`${what}: ${describeError(error)}`);
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // Rooms before sockets: that everybody is cut off now is no loss of members, and not for the log.
  sockets.quiet();
  pool.stop();
  await withDeadline("end of rooms", rooms.stop(), clock, { deadlineMs: ROOMS_STOP_MS_MAX }).catch(ignore("shutdown"));
  sockets.close("the server is shutting down");
  poolSockets.close("the server is shutting down");
  peers.close("the server is shutting down");
  relay?.close("the server is shutting down");
  server.closeIdleConnections();
  await withDeadline("goodbyes", closed, clock, { deadlineMs: GOODBYE_MS_MAX }).catch(() => {
    sockets.terminate();
    poolSockets.terminate();
    peers.terminate();
    relay?.terminate();
    server.closeAllConnections();
  });
  metrics.stop();
  await logs.close();
}
