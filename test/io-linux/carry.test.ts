/**
 * Every back end carries what real programs and raw sockets send, byte for byte, and says what it loses. The wire between
 * the two hosts is test/io-linux/wire.ts.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { BACKENDS, type BackendName } from "../../src/io/linux/open.js";
import { isSkipped, Lab, type Wire, type WireReport } from "./lab.js";

const STREAM_BYTES = 8_000_000;

describe.skipIf(isSkipped)("frames between two hosts", () => {
  let lab: Lab;
  let wire: Wire | undefined;
  beforeAll(() => {
    lab = new Lab();
  });
  afterEach(async () => {
    await wire?.kill();
    wire = undefined;
  });
  afterAll(() => lab.close());

  async function stop(): Promise<WireReport> {
    const report = await wire!.stop();
    wire = undefined;
    return report;
  }

  /** A stream of TCP from inside to outside; what the receiver says of it, after it was found to be the same. */
  async function stream(address: string): Promise<{ longest: number }> {
    const server = await lab.traffic("outside", "serve", address, "5201");
    await server.next();
    const client = await lab.traffic("inside", "stream", address, "5201", String(STREAM_BYTES));
    const sent = (await client.next()) as object;
    const received = (await server.next()) as { longest: number };
    expect(received).toMatchObject(sent);
    return received;
  }

  for (const backend of BACKENDS) {
    describe(backend, () => {
      test("raw frames of every size arrive byte for byte, in order, tags and all", async () => {
        wire = await lab.wire({ backend });
        expect(wire.backend).toBe(backend);
        for (const vlan of ["0", "10"]) {
          const taker = await lab.traffic("outside", "take_frames", "eth0", "7", vlan);
          await taker.next();
          await (await lab.traffic("inside", "send_frames", "eth0", "7", vlan)).next();
          const taken = (await taker.next()) as { right: number; expected: number };
          expect(taken).toEqual({ right: taken.expected, wrong: 0, expected: taken.expected });
          expect(taken.expected).toBeGreaterThan(250);
        }
      });

      test("ping goes there and back, IPv4 and IPv6", async () => {
        wire = await lab.wire({ backend });
        for (const address of ["10.9.0.2", "fd09::2"])
          expect(lab.run("inside", "ping", "-c", "20", "-i", "0.01", address)).toContain(" 0% packet loss");
      });

      // Generic mode sees merged segments of local senders, which no buffer holds: see BACKENDS.
      test.skipIf(backend === "xdp-generic")("streams of TCP arrive as they were sent", async () => {
        wire = await lab.wire({ backend });
        for (const address of ["10.9.0.2", "fd09::2"]) {
          const { longest } = await stream(address);
          if (backend === "packet") expect(longest).toBeGreaterThan(16_384);
        }
        const report = await stop();
        if (backend === "packet") expect(report.largestMerged).toBeGreaterThan(16_384);
        else expect(report.largest).toBe(1514);
      });

      test("datagrams of every length arrive with their checksums completed", async () => {
        wire = await lab.wire({ backend });
        for (const address of ["10.9.0.2", "fd09::2"]) {
          const taker = await lab.traffic("outside", "datagrams", address, "5202");
          await taker.next();
          await (await lab.traffic("inside", "send_datagrams", address, "5202")).next();
          expect(await taker.next()).toEqual({ right: 1400 });
        }
      });

      test("a flood while nobody reads loses only what is counted", async () => {
        wire = await lab.wire({ backend });
        // What was queued before has been carried when a ping comes back.
        const settle = (): string => lab.run("inside", "ping", "-c", "3", "-i", "0.1", "10.9.0.2");
        settle();
        const before = lab.statistics("inside", "eth0");
        const [counted, arrivedBefore] = [lab.statistics("box", "out0"), lab.statistics("outside", "eth0")];
        wire.child.kill("SIGSTOP");
        await (await lab.traffic("inside", "flood", "eth0", "20000")).next();
        wire.child.kill("SIGCONT");
        await (await lab.traffic("inside", "flood", "eth0", "20000")).next();
        settle();
        const after = lab.statistics("inside", "eth0");
        const [carried, arrived] = [lab.statistics("box", "out0"), lab.statistics("outside", "eth0")];
        const report = await stop();
        const [from, to] = report.counters;
        expect(from!.ringFull + from!.noBuffer).toBeGreaterThan(0);
        // What the wire has seen before the first of these figures were few frames of ping and neighbour discovery.
        const offered = after.txPackets - before.txPackets;
        const seen = from!.received + from!.ringFull + from!.noBuffer;
        expect(offered).toBeGreaterThan(20_000);
        expect(seen).toBeGreaterThanOrEqual(offered);
        expect(seen).toBeLessThan(offered + 40);
        expect(to!.sent + to!.sendRefused).toBe(from!.received);
        expect(arrived.rxPackets - arrivedBefore.rxPackets).toBe(carried.txPackets - counted.txPackets);
      });

      test("a hundred beginnings and ends leave no file descriptor and no program", async () => {
        wire = await lab.wire({ backend, cycles: 100, buffers: 1024 });
        const [before, after] = (wire as unknown as { fds: number[] }).fds;
        expect(after).toBe(before);
        await stop();
        expect(lab.run("box", "ip", "link", "show", "in0")).not.toContain("xdp");
      });

      test("nothing that arrives reaches the kernel's own protocols", async () => {
        lab.run("box", "ip", "addr", "add", "10.9.0.3/24", "dev", "in0");
        wire = await lab.wire({ backend });
        expect(lab.succeeds("inside", "ping", "-c", "1", "-W", "0.3", "10.9.0.3")).toBe(false);
        await stop();
        expect(lab.succeeds("inside", "ping", "-c", "1", "-W", "1", "10.9.0.3")).toBe(true);
        lab.run("box", "ip", "addr", "flush", "dev", "in0");
      });

      test("a process that is killed leaves no program behind", async () => {
        wire = await lab.wire({ backend });
        if (backend !== "packet") expect(lab.run("box", "ip", "link", "show", "in0")).toContain("xdp");
        await wire.kill();
        expect(lab.run("box", "ip", "link", "show", "in0")).not.toContain("xdp");
      });
    });
  }

  test("without offloads the back ends carry TCP too", async () => {
    for (const place of ["inside", "outside"] as const)
      lab.run(place, "ethtool", "-K", "eth0", "tso", "off", "gso", "off", "gro", "off", "tx", "off");
    for (const backend of ["xdp-driver", "packet"] satisfies BackendName[]) {
      wire = await lab.wire({ backend });
      await stream("10.9.0.2");
      expect((await stop()).largest).toBe(1514);
    }
    for (const place of ["inside", "outside"] as const)
      lab.run(place, "ethtool", "-K", "eth0", "tx", "on", "tso", "on", "gso", "on", "gro", "on");
  });

  test("a veth device is for AF_XDP where it does not merge segments", async () => {
    wire = await lab.wire();
    expect(wire.backend).toBe("packet");
    expect(wire.refused).toEqual([
      {
        backend: "xdp-driver",
        why: "in0 is a veth device with TCP segmentation offload, which XDP would end",
      },
    ]);
    await stop();
    for (const device of ["in0", "out0"]) lab.run("box", "ethtool", "-K", device, "tso", "off");
    wire = await lab.wire();
    expect(wire).toMatchObject({ backend: "xdp-driver", refused: [] });
    await stop();
    for (const device of ["in0", "out0"]) lab.run("box", "ethtool", "-K", device, "tso", "on");
  });

  test("where tags are expected, a veth device is not for AF_XDP", async () => {
    wire = await lab.wire({ isTagged: true });
    expect(wire.backend).toBe("packet");
    expect(wire.refused).toEqual([
      { backend: "xdp-driver", why: "in0 is a veth device, whose VLAN tags XDP does not see" },
    ]);
    await stop();
  });
});
