/** A web server on this machine, for files of the project and pages made up by a test. */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".wasm": "application/wasm",
  ".cfg": "text/plain; charset=utf-8",
};

export interface Content {
  /** Folders by the path that they are served under: `/dist/` and so on. */
  readonly folders: Readonly<Record<string, string>>;
  /** Texts by their path; what kind of file it is, its ending tells. */
  readonly texts: Readonly<Record<string, string>>;
}

export interface Server {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  /** Paths asked for, in order. */
  readonly requests: string[];
  close(): Promise<void>;
}

/** Serves until it is closed, on the loopback address and a port that is free. */
export async function serve({ folders, texts }: Content): Promise<Server> {
  const requests: string[] = [];
  const find = async (path: string): Promise<string | Buffer | undefined> => {
    if (Object.hasOwn(texts, path)) return texts[path];
    const prefix = Object.keys(folders).find((each) => path.startsWith(each));
    if (prefix === undefined) return undefined;
    return readFile(join(folders[prefix]!, path.slice(prefix.length))).catch(() => undefined);
  };
  const server = createServer(async (request, response) => {
    // Parsing removes dot segments, so no path leads out of the folders.
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    requests.push(path);
    const body = await find(path);
    response.writeHead(body === undefined ? 404 : 200, {
      "content-type": TYPES[extname(path)] ?? "application/octet-stream",
    });
    response.end(body);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
