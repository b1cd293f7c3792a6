/**
 * Against libusrsctp over IP itself (protocol 132), in two namespaces. Needs root, ip, python3, cc and libusrsctp-dev.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { OVER_IP } from "../../src/sctp/index.js";
import { checkAll, LiveEndpoint, type OpenSocket, sendAll } from "./live.js";
import { compilePeer, Peer, type PeerOptions } from "./peer.js";
import { randomOf } from "./world.js";

const LOCAL = "10.132.0.1";
const REMOTE = "10.132.0.2";
const STREAMS = 5;
const MESSAGES = 1000;
const LENGTH = 4;
const OWN = `sctp-own-${process.pid}`;
const PEER = `sctp-peer-${process.pid}`;
const HELPER = fileURLToPath(new URL("raw.py", import.meta.url));
const within = (space: string) => ["ip", "netns", "exec", space];

function run(...words: readonly string[]): string | undefined {
  const [command, ...rest] = words;
  const { status, error, stderr } = spawnSync(command!, rest, { encoding: "utf8" });
  return status === 0 ? undefined : `${words.join(" ")}: ${error?.message ?? stderr.trim()}`;
}

/** Two namespaces with a cable between them; false, with a message, when that is not possible. An error in CI. */
function build(): boolean {
  const steps = [
    ["python3", "-c", "import socket"],
    ["ip", "netns", "add", OWN],
    ["ip", "netns", "add", PEER],
    ["ip", "-n", OWN, "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", PEER],
    ["ip", "-n", OWN, "address", "add", `${LOCAL}/24`, "dev", "cable"],
    ["ip", "-n", PEER, "address", "add", `${REMOTE}/24`, "dev", "cable"],
    ["ip", "-n", OWN, "link", "set", "cable", "up"],
    ["ip", "-n", PEER, "link", "set", "cable", "up"],
  ];
  const problem = steps.reduce<string | undefined>((failed, step) => failed ?? run(...step), undefined);
  if (problem === undefined) return true;
  tearDown();
  if (process.env.CI === "true") throw new Error(problem);
  console.warn(`skipped: ${problem}`);
  return false;
}

function tearDown(): void {
  for (const space of [OWN, PEER]) run("ip", "netns", "delete", space);
}

const program = compilePeer();
const isBuilt = program !== undefined && build();
let live: LiveEndpoint | undefined;
let peer: Peer | undefined;

afterEach(() => {
  live?.close();
  peer?.kill();
  live = undefined;
  peer = undefined;
});
afterAll(() => {
  if (isBuilt) tearDown();
});

/** A raw socket in our namespace. */
const overIp: OpenSocket = async (local, onPacket) => {
  const [command, ...rest] = [...within(OWN), "python3", HELPER, local, REMOTE];
  const helper: ChildProcess = spawn(command!, rest, { stdio: ["pipe", "pipe", "inherit"] });
  let pending = Buffer.alloc(0);
  let onReady: () => void;
  const ready = new Promise<void>((resolve) => {
    onReady = resolve;
  });
  helper.stdout!.on("data", (bytes: Buffer) => {
    pending = Buffer.concat([pending, bytes]);
    while (pending.length >= LENGTH && pending.length >= LENGTH + pending.readUInt32BE(0)) {
      const end = LENGTH + pending.readUInt32BE(0);
      const packet = pending.subarray(LENGTH, end);
      pending = pending.subarray(end);
      if (packet.length === 0) onReady();
      else onPacket(Uint8Array.from(packet), REMOTE);
    }
  });
  const ended = once(helper, "exit").then(([code]) => {
    throw new Error(`the raw socket has ended with ${code}`);
  });
  await Promise.race([ready, ended]);
  // From here on it ends when it is told to.
  ended.catch(() => undefined);
  return {
    send(bytes, udpPort, to) {
      expect([udpPort, to]).toEqual([OVER_IP, REMOTE]);
      const length = Buffer.alloc(LENGTH);
      length.writeUInt32BE(bytes.length);
      helper.stdin!.write(Buffer.concat([length, bytes]));
    },
    close: () => helper.stdin!.end(),
  };
};

async function start(
  role: PeerOptions["role"],
  ending: PeerOptions["ending"],
  messages: number,
  loss: number,
) {
  const random = randomOf(1);
  live = await LiveEndpoint.open({
    endpoint: {
      localPort: 5000,
      remotePort: 5001,
      rtoMinMs: 50,
      rtoMaxMs: 400,
      heartbeatMs: 100,
      rtoInitialMs: 100,
      pathRetransmit: 2,
      assocRetransmit: 10,
      streams: STREAMS,
      random,
      secret: Uint8Array.of(1, 2, 3),
    },
    localAddresses: [LOCAL],
    remoteAddresses: [REMOTE],
    openSocket: overIp,
    remoteUdpPort: OVER_IP,
    loss,
    random,
  });
  const received = checkAll(live, STREAMS);
  if (role === "client") live.step({ kind: "listen" });
  const options: PeerOptions = {
    role,
    ending,
    messages,
    ownUdp: OVER_IP,
    peerUdp: OVER_IP,
    ownAddress: LOCAL,
    peerAddress: REMOTE,
    streams: STREAMS,
  };
  peer = new Peer(program!, options, within(PEER));
  await peer.until("ready 0");
  if (role === "server") live.step({ kind: "connect" });
  await live.until("up", () => live!.has("up"));
  return { live, peer, received };
}

describe.skipIf(!isBuilt).each([{ role: "server" }, { role: "client" }] as const)(
  "libusrsctp over IP as $role",
  ({ role }) => {
    test.each(["wait", "shutdown"] as const)("messages both ways, losses too, %s", async (ending) => {
      const { live, peer, received } = await start(role, ending, MESSAGES, 0.02);
      sendAll(live, MESSAGES, STREAMS);
      await peer.until(`received ${MESSAGES}`);
      await live.until("all messages", () => received() === MESSAGES);
      expect(peer.said.filter((line) => line.startsWith("wrong"))).toEqual([]);
      if (ending === "wait") live.step({ kind: "shutdown" });
      await live.until("down", () => live.has("down"));
      await peer.until("done 0");
      expect(peer.said).toContain("complete 0");
      const { counters } = live.endpoint.view();
      expect([counters.checksum, counters.encapsulation, counters.chunk_contents]).toEqual([0, 0, 0]);
    });

    test("its ABORT", async () => {
      const { live } = await start(role, "abort", 1, 0);
      sendAll(live, 1, STREAMS);
      await live.until("down", () => live.has("down"));
      expect(live.actions.filter(({ kind }) => kind === "down")).toEqual([
        { kind: "down", reason: "peer_abort", wasUp: true },
      ]);
    });
  },
);
