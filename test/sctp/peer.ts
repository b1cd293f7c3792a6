/** libusrsctp as a process of its own: test/sctp/peer.c. Needs cc and libusrsctp-dev. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

const SOURCE = fileURLToPath(new URL("peer.c", import.meta.url));

/** Compiles the peer for the tests of a file; undefined, with a message, when that is not possible. An error in CI. */
export function compilePeer(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "sctp-peer-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const program = join(folder, "peer");
  const { status, error, stderr } = spawnSync(
    "cc",
    ["-O1", "-o", program, SOURCE, "-lusrsctp", "-lpthread"],
    { encoding: "utf8" },
  );
  if (status === 0) return program;
  const message = `cc with libusrsctp: ${error?.message ?? stderr}`;
  if (process.env.CI === "true") throw new Error(message);
  console.warn(`skipped: ${message}`);
  return undefined;
}

export interface PeerOptions {
  role: "client" | "server";
  ending: "wait" | "shutdown" | "abort";
  /** UDP ports; 0: packets travel over IP. */
  ownUdp: number;
  peerUdp: number;
  ownAddress: string;
  peerAddress: string;
  messages: number;
  streams: number;
}

/** The other end as a process, and the lines that it has said. */
export class Peer {
  readonly said: string[] = [];
  readonly #process: ChildProcess;
  #rest = "";

  /** `within`: a command that runs another one somewhere else. */
  constructor(program: string, options: PeerOptions, within: readonly string[] = []) {
    const { role, ending, ownUdp, peerUdp, ownAddress, peerAddress, messages, streams } = options;
    const words = [role, ending, peerUdp, ownUdp, peerAddress, ownAddress, 5001, 5000, messages, streams];
    const [command, ...rest] = [...within, program, ...words.map(String)];
    this.#process = spawn(command!, rest, { stdio: ["ignore", "pipe", "inherit"] });
    this.#process.stdout!.setEncoding("utf8").on("data", (text: string) => {
      const lines = (this.#rest + text).split("\n");
      this.#rest = lines.pop()!;
      this.said.push(...lines);
    });
  }

  async until(line: string, timeoutMs = 20_000): Promise<void> {
    const endMs = performance.now() + timeoutMs;
    while (!this.said.includes(line)) {
      if (performance.now() > endMs)
        throw new Error(`the peer did not say "${line}": ${this.said.join(", ")}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }
}
