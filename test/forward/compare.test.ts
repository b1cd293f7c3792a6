/** The core's forwarding held against the model: random packets through a live router, every frame byte by byte. */
import { afterAll, describe, expect, test } from "vitest";
import { PcapWriter } from "../../src/capture/index.js";
import { formatMac } from "../../src/frame.js";
import type { Dataplane } from "../../src/index.js";
import { lacking, run, scratchFolder } from "../capture/tools.js";
import { Random } from "../model/random.js";
import {
  destinationOf,
  forward,
  type ForwardRoute,
  mayBeCut,
  networkOffset,
  nextHop,
  packetOf,
} from "./model.js";
import {
  configOf,
  connectedRoutes,
  DEVICES,
  FORWARD_NAMES,
  host,
  liveRouter,
  randomFrames,
  randomRoutes,
} from "./network.js";

const ROUTES = 200;
const CALLS = 400;
const folder = scratchFolder();
afterAll(() => folder.remove());

/** What is due for a packet that is dropped for one of these reasons, unless it is a later fragment. */
const DUE = new Map([
  ["mtu_exceeded", "too big"],
  ["ttl_expired", "report"],
  ["no_route", "report"],
]);

interface Router {
  dataplane: Dataplane;
  routes: ForwardRoute[];
  neighbors: Map<string, number[]>;
}

/** Half of those that may be next hops are known. */
function makeRouter(random: Random): Router {
  const statics = randomRoutes(random, ROUTES);
  const routes = [...connectedRoutes(), ...statics];
  const dataplane = liveRouter(configOf(statics));
  const neighbors = new Map<string, number[]>();
  for (const { number } of DEVICES) {
    for (const v6 of [false, true]) {
      for (let place = 2; place < 10; place++) {
        if (random.chance(0.4)) continue;
        const mac = [2, number, v6 ? 6 : 4, 0, 0, place];
        neighbors.set(`${number} ${host(number, v6, place)}`, mac);
        expect(dataplane.forwarding.setNeighbor(number, host(number, v6, place), formatMac(mac))).toBe(true);
      }
    }
  }
  return { dataplane, routes, neighbors };
}

function isLaterFragment(packet: Uint8Array): boolean {
  if (packet[0]! >> 4 === 4) return ((packet[6]! & 0x1f) | packet[7]!) !== 0;
  return packet[6] === 44 && ((packet[42]! << 8) | (packet[43]! & 0xf8)) !== 0;
}

/** Sends random packets; what left, and how often each code came. */
function exercise({ dataplane, routes, neighbors }: Router, random: Random) {
  const { batch } = dataplane;
  const left: Uint8Array[] = [];
  const codes = new Map<string, number>();
  const given: Uint8Array[] = [];
  let nowMs = 0;
  for (let call = 0; call < CALLS; call++) {
    batch.clear();
    for (let i = random.between(1, 30); i > 0; i--) {
      const { number, frames } = randomFrames(random, routes);
      // Frames come by the device, whatever their tag.
      for (const frame of frames) {
        expect(batch.add(frame, Math.min(number, 3), given.length)).toBe(true);
        given.push(frame);
      }
    }
    nowMs += 10;
    const outputs = dataplane.process(nowMs);
    for (let i = 0; i < outputs; i++) {
      const frame = given[batch.cookie(i)]!;
      const packet = packetOf(frame);
      const code = FORWARD_NAMES.get(batch.forward(i))!;
      codes.set(code, (codes.get(code) ?? 0) + 1);
      const verdict = batch.verdict(i);
      if (verdict !== "pass") {
        const due = isLaterFragment(packet) ? undefined : DUE.get(batch.reason(i));
        expect(code, batch.reason(i)).toBe(verdict === "local" ? "local" : (due ?? "none"));
        expect(batch.frame(i)).toEqual(frame);
        continue;
      }
      const device = DEVICES[batch.egress(i) - 1]!;
      const expected = forward(frame, device, routes, neighbors);
      expect(code).toBe(expected.code);
      if (code === "fragment") expect(mayBeCut(packet)).toBe(true);
      expect(batch.port(i)).toBe(expected.port);
      expect(Buffer.from(batch.frame(i)).toString("hex")).toBe(Buffer.from(expected.frame).toString("hex"));
      expect(batch.wireLength(i)).toBe(expected.frame.length);
      expect(batch.networkOffset(i)).toBe(networkOffset(expected.frame));
      expect(dataplane.forwarding.nextHop(device.number, destinationOf(packet))).toBe(
        nextHop(destinationOf(packet), device.number, routes),
      );
      left.push(expected.frame);
    }
  }
  return { left, codes };
}

describe.each([1, 2, 3])("seed %i", (seed) => {
  const random = new Random(seed);
  const router = makeRouter(random);
  const { left, codes } = exercise(router, random);

  test("every frame is as the model has it, and of every kind there are some", () => {
    for (const code of ["send", "resolve", "fragment", "too big", "report", "none"])
      expect(codes.get(code) ?? 0, code).toBeGreaterThan(5);
  });

  test.skipIf(lacking("tshark"))(
    "tshark finds no wrong checksum in what leaves, and nothing malformed",
    () => {
      const writer = new PcapWriter({ linkType: 1 });
      for (const data of left)
        writer.write({ interfaceIndex: 0, timeSeconds: 0, timeNanos: 0, data, wireLength: data.length });
      const path = folder.write(`left-${seed}.pcap`, writer.drain());
      const checks = ["ip", "tcp", "udp"].flatMap((layer) => ["-o", `${layer}.check_checksum:TRUE`]);
      const filter =
        "_ws.malformed || ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0";
      const { stdout, status } = run("tshark", "-n", "-r", path, ...checks, "-Y", filter);
      expect(status).toBe(0);
      expect(stdout).toBe("");
      const good = run("tshark", "-n", "-r", path, ...checks, "-Y", "ip.checksum.status == 1").stdout;
      expect(good.split("\n").length).toBeGreaterThan(1000);
    },
  );
});
