/**
 * Against another implementation: libusrsctp, over UDP on the loopback interface. Needs cc and libusrsctp-dev.
 */
import { afterEach, describe, expect, test } from "vitest";
import { parseAddress } from "../../src/ip.js";
import { checkAll, freeUdpPort, LiveEndpoint, overUdp, sendAll } from "./live.js";
import { compilePeer, Peer, type PeerOptions } from "./peer.js";
import { randomOf } from "./world.js";

const LOCAL = "127.0.0.2";
const LOCAL_SECOND = "127.0.0.3";
const REMOTE = "127.0.0.1";
const STREAMS = 5;

const program = compilePeer();
let nextSeed = 1;
let live: LiveEndpoint | undefined;
let peer: Peer | undefined;

afterEach(() => {
  live?.close();
  peer?.kill();
  live = undefined;
  peer = undefined;
});

type Ports = Pick<PeerOptions, "ownUdp" | "peerUdp">;

function newPeer(role: PeerOptions["role"], ending: PeerOptions["ending"], ports: Ports, messages: number) {
  return new Peer(program!, {
    ...ports,
    role,
    ending,
    messages,
    peerAddress: REMOTE,
    ownAddress: LOCAL,
    streams: STREAMS,
  });
}

function open(ports: Ports, options: { loss?: number; localAddresses?: string[] }): Promise<LiveEndpoint> {
  const random = randomOf(nextSeed++);
  return LiveEndpoint.open({
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
    localAddresses: options.localAddresses ?? [LOCAL],
    remoteAddresses: [REMOTE],
    openSocket: overUdp(ports.ownUdp),
    remoteUdpPort: ports.peerUdp,
    loss: options.loss ?? 0,
    random,
  });
}

async function start(options: {
  role: "client" | "server";
  ending: "wait" | "shutdown" | "abort";
  messages: number;
  loss: number;
  localAddresses?: string[];
}): Promise<{ live: LiveEndpoint; peer: Peer; ports: Ports; received: () => number }> {
  const ports = { ownUdp: await freeUdpPort(), peerUdp: await freeUdpPort() };
  live = await open(ports, options);
  const received = checkAll(live, STREAMS);
  if (options.role === "client") live.step({ kind: "listen" });
  peer = newPeer(options.role, options.ending, ports, options.messages);
  await peer.until("ready 0");
  if (options.role === "server") live.step({ kind: "connect" });
  await live.until("up", () => live!.has("up"));
  return { live, peer, ports, received };
}

const MESSAGES = 1000;

describe.skipIf(program === undefined).each([{ role: "server" }, { role: "client" }] as const)(
  "libusrsctp as $role",
  ({ role }) => {
    test.each(["wait", "shutdown"] as const)(
      "messages both ways with 5 %% loss each way, %s",
      async (ending) => {
        const { live, peer, received } = await start({ role, ending, messages: MESSAGES, loss: 0.05 });
        sendAll(live, MESSAGES, STREAMS);
        await peer.until(`received ${MESSAGES}`);
        await live.until("all messages", () => received() === MESSAGES);
        expect(peer.said.filter((line) => line.startsWith("wrong"))).toEqual([]);
        if (ending === "wait") live.step({ kind: "shutdown" });
        await live.until("down", () => live.has("down"));
        expect(live.actions.at(-1)).toEqual({
          kind: "down",
          reason: ending === "wait" ? "shutdown" : "peer_shutdown",
          wasUp: true,
        });
        await peer.until("done 0");
        expect(peer.said).toContain("complete 0");
        const { counters } = live.endpoint.view();
        expect(
          counters.chunk_contents + counters.chunk_length + counters.checksum + counters.sack_invalid,
        ).toBe(0);
        expect(counters.data_retransmitted_fast).toBeGreaterThan(0);
      },
    );

    test("our ABORT", async () => {
      const { live, peer } = await start({ role, ending: "wait", messages: 1, loss: 0 });
      await peer.until("sent 1");
      live.step({ kind: "abort" });
      await peer.until("done 0");
      expect(peer.said.some((line) => line.startsWith("lost"))).toBe(true);
    });

    test("its ABORT", async () => {
      const { live } = await start({ role, ending: "abort", messages: 1, loss: 0 });
      sendAll(live, 1, STREAMS);
      await live.until("down", () => live.has("down"));
      expect(live.actions.filter(({ kind }) => kind === "down")).toEqual([
        { kind: "down", reason: "peer_abort", wasUp: true },
      ]);
    });

    test("two addresses of ours: the first is cut off and comes back", async () => {
      const localAddresses = [LOCAL, LOCAL_SECOND];
      const { live, peer, received } = await start({
        role,
        ending: "wait",
        messages: MESSAGES,
        loss: 0,
        localAddresses,
      });
      const isActive = (index: number) => live.endpoint.view().paths[index]!.state === "active";
      await live.until("both paths", () => isActive(0) && isActive(1));
      live.cut.add(parseAddress(LOCAL)!);
      sendAll(live, MESSAGES, STREAMS);
      await peer.until(`received ${MESSAGES}`);
      await live.until("all messages", () => received() === MESSAGES);
      await live.until("the path fails", () => !isActive(0));
      live.cut.clear();
      await live.until("the path returns", () => isActive(0));
      expect(live.has("down")).toBe(false);
      expect(live.has("restarted")).toBe(false);
      expect(peer.said.filter((line) => line.startsWith("wrong"))).toEqual([]);
      live.step({ kind: "shutdown" });
      await peer.until("done 0");
      expect(peer.said).toContain("complete 0");
    });
  },
);

describe.skipIf(program === undefined)("restart", () => {
  test("of libusrsctp is seen as a restart", async () => {
    const {
      live,
      peer: first,
      ports,
      received,
    } = await start({ role: "client", ending: "wait", messages: 10, loss: 0 });
    await first.until("sent 10");
    first.kill();
    const again = newPeer("client", "wait", ports, 10);
    peer = again;
    await live.until("restarted", () => live.has("restarted"));
    sendAll(live, 10, STREAMS);
    await again.until("received 10");
    await live.until("all messages", () => received() === 10);
    expect(live.has("down")).toBe(false);
    live.step({ kind: "shutdown" });
    await again.until("complete 0");
  });

  test("of ours is seen as a restart by libusrsctp", async () => {
    const {
      live: first,
      peer,
      ports,
    } = await start({ role: "server", ending: "wait", messages: 10, loss: 0 });
    await peer.until("sent 10");
    first.close();
    live = await open(ports, {});
    live.step({ kind: "connect" });
    await peer.until("restart 0");
    expect(live.has("up")).toBe(true);
    live.step({ kind: "shutdown" });
    await peer.until("complete 0");
  });
});
