/**
 * Our endpoint on sockets and on the clock, with packets dropped on the way from a seed;
 * and the messages that it exchanges with test/sctp/peer.c.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type Address, formatAddress, parseAddress } from "../../src/ip.js";
import { Endpoint, type EndpointOptions, type SctpAction, type SctpInput } from "../../src/sctp/index.js";

/** A port that nobody uses at this moment. */
export async function freeUdpPort(): Promise<number> {
  const socket = createSocket("udp4").bind(0);
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  await once(socket, "close");
  return port;
}

/** Where packets of one of our addresses go out and come in. */
export interface LiveSocket {
  send(bytes: Uint8Array, udpPort: number, to: string): void;
  close(): void;
}

/** `onPacket` without a port: the packet came over IP. */
export type OpenSocket = (
  local: string,
  onPacket: (bytes: Uint8Array, from: string, udpPort?: number) => void,
) => Promise<LiveSocket>;

/** SCTP in UDP from this port. */
export function overUdp(localUdpPort: number): OpenSocket {
  return async (local, onPacket) => {
    const socket = createSocket({ type: "udp4", recvBufferSize: 1 << 20, sendBufferSize: 1 << 20 });
    socket.on("message", (bytes, { address, port }) => onPacket(bytes, address, port));
    socket.bind(localUdpPort, local);
    await once(socket, "listening");
    return {
      send: (bytes, udpPort, to) => socket.send(bytes, udpPort, to),
      close: () => socket.close(),
    };
  };
}

export interface LiveOptions {
  endpoint: Omit<EndpointOptions, "localAddresses" | "remoteAddresses" | "remoteUdpPort">;
  localAddresses: string[];
  remoteAddresses: string[];
  openSocket: OpenSocket;
  /** OVER_IP, or where the peer listens. */
  remoteUdpPort: number;
  loss: number;
  random: () => number;
}

export class LiveEndpoint {
  readonly endpoint: Endpoint;
  readonly actions: SctpAction[] = [];
  /** Addresses of ours that are cut off. */
  readonly cut = new Set<Address>();
  onAction: (action: SctpAction) => void = () => {};
  readonly #options: LiveOptions;
  readonly #sockets = new Map<Address, LiveSocket>();
  #timer: NodeJS.Timeout | undefined;
  #waiters: { isDone: () => boolean; resolve: () => void }[] = [];

  private constructor(options: LiveOptions) {
    this.#options = options;
    this.endpoint = new Endpoint({
      ...options.endpoint,
      localAddresses: options.localAddresses.map((text) => parseAddress(text)!),
      remoteAddresses: options.remoteAddresses.map((text) => parseAddress(text)!),
      remoteUdpPort: options.remoteUdpPort,
    });
  }

  static async open(options: LiveOptions): Promise<LiveEndpoint> {
    const live = new LiveEndpoint(options);
    for (const text of options.localAddresses) {
      const local = parseAddress(text)!;
      const socket = await options.openSocket(text, (bytes, from, udpPort) => {
        if (live.#isLost(local)) return;
        const ends = { from: parseAddress(from)!, to: local };
        live.step({ kind: "datagram", ...ends, bytes, ...(udpPort !== undefined && { udpPort }) });
      });
      live.#sockets.set(local, socket);
    }
    return live;
  }

  #isLost(local: Address): boolean {
    return this.cut.has(local) || this.#options.random() / 2 ** 32 < this.#options.loss;
  }

  step(input: SctpInput): SctpAction[] {
    const actions = this.endpoint.step(input, performance.now());
    for (const action of actions) {
      if (action.kind !== "transmit") {
        this.actions.push(action);
        this.onAction(action);
      } else if (!this.#isLost(action.from)) {
        this.#sockets.get(action.from)!.send(action.bytes, action.udpPort, formatAddress(action.to));
      }
    }
    clearTimeout(this.#timer);
    const { deadlineMs } = this.endpoint;
    if (deadlineMs !== Number.POSITIVE_INFINITY) {
      this.#timer = setTimeout(
        () => this.step({ kind: "tick" }),
        Math.max(0, deadlineMs - performance.now()),
      );
    }
    const done = this.#waiters.filter(({ isDone }) => isDone());
    this.#waiters = this.#waiters.filter((waiter) => !done.includes(waiter));
    for (const { resolve } of done) resolve();
    return actions;
  }

  /** Waits until `isDone` after a step, or rejects. */
  until(what: string, isDone: () => boolean, timeoutMs = 20_000): Promise<void> {
    if (isDone()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const view = () => JSON.stringify(this.endpoint.view(), undefined, 1);
      const timer = setTimeout(() => reject(new Error(`waited in vain: ${what}\n${view()}`)), timeoutMs);
      this.#waiters.push({
        isDone,
        resolve: () => {
          clearTimeout(timer);
          resolve();
        },
      });
    });
  }

  has(kind: SctpAction["kind"]): boolean {
    return this.actions.some((action) => action.kind === kind);
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const socket of this.#sockets.values()) socket.close();
  }
}

const MESSAGE_MAX = 65_536;

/** The same as in test/sctp/peer.c. */
export function sizeOf(index: number): number {
  return 1 + ((Math.imul(index, 2_654_435_761) >>> 8) % (index % 10 === 0 ? MESSAGE_MAX : 1500));
}

export function messageOf(index: number): Uint8Array {
  return Uint8Array.from({ length: sizeOf(index) }, (_, at) => index * 31 + at * 7);
}

/** Sends all messages as fast as the endpoint takes them. */
export function sendAll(live: LiveEndpoint, messages: number, streams: number): void {
  let index = 0;
  const pump = () => {
    while (index < messages) {
      const bytes = messageOf(index);
      const input = { kind: "send", stream: index % streams, payloadProtocolId: index, bytes } as const;
      if (live.step(input).some(({ kind }) => kind === "refused")) return;
      index++;
    }
  };
  const before = live.onAction;
  live.onAction = (action) => {
    before(action);
    if (action.kind === "writable") setImmediate(pump);
  };
  pump();
}

/**
 * Counts the messages of the association that arrive as they must; throws at the first that does not. A restart of the
 * peer begins anew.
 */
export function checkAll(live: LiveEndpoint, streams: number): () => number {
  const first = Array.from({ length: streams }, (_, stream) => stream);
  let next = [...first];
  let received = 0;
  const before = live.onAction;
  live.onAction = (action) => {
    before(action);
    if (action.kind === "restarted") {
      next = [...first];
      received = 0;
    }
    if (action.kind !== "message") return;
    const { stream, payloadProtocolId: index, bytes } = action;
    if (index !== next[stream] || Buffer.compare(bytes, messageOf(index)) !== 0) {
      throw new Error(
        `stream ${stream}: message ${index} of ${bytes.length} bytes instead of ${next[stream]}`,
      );
    }
    next[stream] = index + streams;
    received++;
  };
  return () => received;
}
