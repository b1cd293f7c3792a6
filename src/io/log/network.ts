/** Log lines to a host: datagrams (RFC 5426), and streams with and without TLS (RFC 6587, 5425). */
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { connect as connectTcp, isIPv6, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { LogHost } from "../../log/index.js";
import { meaningOf } from "../errors.js";
import type { Transport, TransportEvents } from "./transport.js";

/** What the command line says about hosts. PEM, read by whoever starts. */
export interface HostOptions {
  /** `--log-source`: own address of the management interface. */
  readonly source?: string;
  /** `--log-ca`: who may have signed the certificates of hosts; without it those that the system trusts. */
  readonly ca?: string;
  /** `--log-cert`, `--log-key`: what this firewall shows a host that asks. */
  readonly certificate?: string;
  readonly key?: string;
  /** `--log-tls-name`: whose certificate it has to be, where it does not name the address. */
  readonly serverName?: string;
}

const CLOSED_BY_PEER = "the host has closed the connection";
const TLS_VERSION_MIN = "TLSv1.2";

export function hostTransport(host: LogHost, options: HostOptions): Transport {
  switch (host.transport) {
    case "udp":
      return new UdpTransport(host, options);
    case "tcp":
      return new ConnectionTransport("connect", () =>
        connectTcp({
          host: host.address,
          port: host.port,
          ...(options.source !== undefined && { localAddress: options.source }),
        }),
      );
    case "tls":
      return new ConnectionTransport("secureConnect", () => secureConnection(host, options));
  }
}

/** The certificate is verified, and has to be that of the address, or of the name that was given instead. */
function secureConnection(host: LogHost, options: HostOptions): Socket {
  const { source, ca, certificate, key, serverName } = options;
  return connectTls({
    host: host.address,
    port: host.port,
    minVersion: TLS_VERSION_MIN,
    rejectUnauthorized: true,
    ...(source !== undefined && { localAddress: source }),
    ...(ca !== undefined && { ca }),
    ...(certificate !== undefined && { cert: certificate }),
    ...(key !== undefined && { key }),
    ...(serverName !== undefined && { servername: serverName }),
  });
}

class ConnectionTransport implements Transport {
  readonly #ready: "connect" | "secureConnect";
  readonly #connect: () => Socket;
  #socket: Socket | undefined;
  #events: TransportEvents | undefined;

  constructor(ready: "connect" | "secureConnect", connect: () => Socket) {
    this.#ready = ready;
    this.#connect = connect;
  }

  open(events: TransportEvents): void {
    this.close();
    this.#events = events;
    let socket: Socket;
    try {
      socket = this.#connect();
    } catch (error) {
      // A key that does not fit its certificate, a file that is no PEM.
      queueMicrotask(() => events.closed(meaningOf(error)));
      return;
    }
    this.#socket = socket;
    const closed = (problem: string): void => {
      socket.destroy();
      events.closed(problem);
    };
    socket.setNoDelay(true);
    socket.once(this.#ready, () => events.opened());
    socket.on("error", (error) => closed(meaningOf(error)));
    // Syslog knows no answers: what comes is thrown away, so that its end is noticed.
    socket.resume();
    socket.once("end", () => closed(CLOSED_BY_PEER));
    socket.once("close", () => closed(CLOSED_BY_PEER));
  }

  send(lines: readonly Uint8Array[]): void {
    const events = this.#events;
    this.#socket?.write(Buffer.concat(lines), (error) => {
      // An error is told by its event.
      if (!error) events?.sent(lines.length);
    });
  }

  close(): void {
    this.#events = undefined;
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket === undefined) return;
    // What the kernel has still goes out. A host that takes nothing is not waited for.
    if (socket.writableLength === 0) socket.destroySoon();
    else socket.destroy();
  }
}

class UdpTransport implements Transport {
  readonly #host: LogHost;
  readonly #options: HostOptions;
  #socket: UdpSocket | undefined;
  #events: TransportEvents | undefined;

  constructor(host: LogHost, options: HostOptions) {
    this.#host = host;
    this.#options = options;
  }

  open(events: TransportEvents): void {
    this.close();
    this.#events = events;
    const { address, port } = this.#host;
    const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
    this.#socket = socket;
    socket.unref();
    // Connected, so that ICMP errors of the host are heard.
    socket.on("error", (error) => events.closed(meaningOf(error)));
    socket.on("connect", () => events.opened());
    socket.bind({ address: this.#options.source, port: 0 }, () => socket.connect(port, address));
  }

  send(lines: readonly Uint8Array[]): void {
    const events = this.#events;
    for (const line of lines) {
      this.#socket?.send(line, (error) => {
        if (error) events?.closed(meaningOf(error));
        else events?.sent(1);
      });
    }
  }

  close(): void {
    this.#events = undefined;
    this.#socket?.close();
    this.#socket = undefined;
  }
}
