/**
 * The metrics over HTTP: `/metrics` for Prometheus, `/healthz` for whoever asks whether the firewall is well. Listens on the loopback
 * address unless told otherwise; there are no secrets in what it tells, but names and addresses.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { METRICS, METRICS_CONTENT_TYPE, type MetricsSnapshot, renderMetrics } from "../../metrics/index.js";
import { meaningOf } from "../errors.js";
import type { Result } from "../io.js";

/** Whether the firewall does what it is there for, and if not, why. */
export interface Health {
  readonly isHealthy: boolean;
  readonly text: string;
}

export interface MetricsOptions {
  readonly address: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Asked for each answer. */
  readonly snapshot: () => Promise<MetricsSnapshot>;
  readonly health: () => Health | Promise<Health>;
}

export interface MetricsServer {
  readonly address: string;
  readonly port: number;
  close(): Promise<void>;
}

export const METRICS_ADDRESS_DEFAULT = "127.0.0.1";
const CONNECTIONS_MAX = 16;
const HEADERS_BYTES_MAX = 8192;
/** A request has to be there, and answered, within that time. */
const REQUEST_TIMEOUT_MS = 5000;
const IDLE_TIMEOUT_MS = 15_000;
const CHECK_TIMEOUTS_MS = 1000;
/** How long a thread may take to tell what it counts. */
const SNAPSHOT_TIMEOUT_MS = 3000;
const TEXT = "text/plain; charset=utf-8";

export async function serveMetrics(options: MetricsOptions): Promise<Result<MetricsServer>> {
  const server = createServer(
    {
      maxHeaderSize: HEADERS_BYTES_MAX,
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: IDLE_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_TIMEOUTS_MS,
    },
    (request, response) => void answer(request, response, options),
  );
  server.maxConnections = CONNECTIONS_MAX;
  server.on("connection", (socket) => {
    // A reader that takes nothing is not kept.
    socket.setTimeout(IDLE_TIMEOUT_MS, () => socket.destroy());
  });
  const problem = await listen(server, options);
  if (problem !== undefined) return { problem };
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("the server has no address");
  return {
    value: {
      address: bound.address,
      port: bound.port,
      close: () =>
        new Promise((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        }),
    },
  };
}

function listen(server: Server, { address, port }: MetricsOptions): Promise<string | undefined> {
  return new Promise((resolve) => {
    server.once("error", (error) => resolve(`metrics on ${address} port ${port}: ${meaningOf(error)}`));
    server.listen({ host: address, port }, () => resolve(undefined));
    // No scrape keeps the firewall from ending.
    server.unref();
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: MetricsOptions,
): Promise<void> {
  // Nothing that is sent along is of interest.
  request.resume();
  const send = (status: number, type: string, text: string): void => {
    response.writeHead(status, {
      "Content-Type": type,
      "Content-Length": Buffer.byteLength(text),
      "Cache-Control": "no-store",
      "X-Content-Type-Options": "nosniff",
    });
    response.end(request.method === "HEAD" ? undefined : text);
  };
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("Allow", "GET, HEAD");
    send(405, TEXT, "only GET and HEAD\n");
    return;
  }
  const path = request.url?.split("?", 1)[0];
  try {
    if (path === "/metrics") {
      const snapshot = await inTime(options.snapshot());
      send(200, METRICS_CONTENT_TYPE, renderMetrics(METRICS, snapshot));
    } else if (path === "/healthz") {
      const { isHealthy, text } = await inTime(options.health());
      send(isHealthy ? 200 : 503, TEXT, `${text}\n`);
    } else {
      send(404, TEXT, "there is /metrics and /healthz\n");
    }
  } catch (error) {
    send(503, TEXT, `${meaningOf(error)}\n`);
  }
}

/** What a promise gives, or an error when that takes too long. */
async function inTime<T>(promise: T | Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("a thread does not answer")), SNAPSHOT_TIMEOUT_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
