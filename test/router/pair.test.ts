/** Two boxes on a LAN: who answers for the virtual address, what a standby knows, and what a take-over tells. */
import { expect, test } from "vitest";
import { ARP_REPLY, parseArp } from "../../src/arp.js";
import { ETHERNET, parseIp } from "../../src/frame.js";
import { at, arp, forwarded, INSIDE, macOf, VIRTUAL6, VIRTUAL_MAC, VIRTUAL_MAC6 } from "./rig.js";
import { ethernet, icmp, ip } from "../support/frames.js";
import { LanWorld } from "./lan.js";

const textOf = (host: number, priority: number) => `
interface ${INSIDE}
 ip address 10.0.0.${host} 255.255.255.0
 ipv6 address 2001:db8::${host}/64
 standby version 2
 standby 1 ip 10.0.0.3
 standby 1 mac-address ${VIRTUAL_MAC}
 standby 1 priority ${priority}
 standby 1 timers 1 3
 standby 6 ipv6 autoconfig
 standby 6 priority ${priority}
 standby 6 timers 1 3
`;
const HOST = "10.0.0.9";
const HOST_MAC = "0200.0000.00aa";
const VIP = at("10.0.0.3") as number;

function pair(): LanWorld {
  const world = new LanWorld({ A: textOf(1, 110), B: textOf(2, 100) });
  return world.host("host", HOST, HOST_MAC).boot("A", "B").run(30_000);
}

function framesOf(world: LanWorld, from: string, sinceMs = 0): Uint8Array[] {
  return world.sent.filter((each) => each.from === from && each.atMs >= sinceMs).map(({ frame }) => frame);
}

function arpOf(frame: Uint8Array) {
  const ethernetHeader = ETHERNET.parse(frame)!;
  return ethernetHeader.ethertype === 0x0806 ? parseArp(frame.subarray(ETHERNET.size)) : undefined;
}

/** Replies and announcements for the virtual address. */
function claims(world: LanWorld, from: string, sinceMs = 0) {
  return framesOf(world, from, sinceMs)
    .map(arpOf)
    .filter((message) => message?.operation === ARP_REPLY && message.sender.address === VIP);
}

function pingOf(mac: string): Uint8Array {
  const packet = ip({ source: HOST, destination: "10.0.0.3" }, icmp({ type: 8, identifier: 7 }));
  return ethernet(packet, { source: macOf(HOST_MAC), destination: macOf(mac) });
}

test("the active router alone answers for the virtual address, and to what is sent there", () => {
  const world = pair();
  expect(world.active()).toEqual(["A"]);
  expect(claims(world, "A").length).toBeGreaterThan(0);
  expect(claims(world, "B")).toEqual([]);
  world.send("host", arp({ operation: 1, sender: HOST, target: "10.0.0.3" })).run(10);
  const host = world.hosts.get("host")!;
  expect(host.cache.get(VIP)).toBe(VIRTUAL_MAC);
  world.send("host", pingOf(VIRTUAL_MAC)).run(10);
  const echoes = host.received.map((frame) => parseIp(frame.subarray(ETHERNET.size))!);
  const answers = echoes.filter(({ protocol, source }) => protocol === 1 && source === VIP);
  expect(answers).toHaveLength(1);
  expect(claims(world, "B")).toEqual([]);
  // Either answers for itself.
  for (const target of ["10.0.0.1", "10.0.0.2"]) {
    world.send("host", arp({ operation: 1, sender: HOST, target })).run(10);
    expect(host.cache.get(at(target))).toBe(`0200.0000.000${target.at(-1)}`);
  }
});

test("the standby knows a host that the active asked for, and after a take-over nothing waits", () => {
  const world = pair();
  expect(world.stateOf("B", HOST)).toBe("none");
  world.toRouter("A", resolve());
  world.run(100);
  expect([world.stateOf("A", HOST), world.stateOf("B", HOST)]).toEqual(["reachable", "reachable"]);

  const host = world.hosts.get("host")!;
  host.cache.set(VIP, "0200.0000.0001");
  const killedMs = world.nowMs;
  world.kill("A").run(3000);
  expect(world.active()).toEqual(["B"]);
  const tookOver = world.sent.find(
    ({ from, frame }) => from === "B" && arpOf(frame)?.sender.address === VIP,
  )!;
  // Announced, and the host is asked by the virtual router itself: it knows even if it missed the announcement.
  const probes = framesOf(world, "B", killedMs)
    .map(arpOf)
    .filter((each) => each?.operation === 1 && each.target.address === at(HOST));
  expect(probes[0]?.sender).toEqual({ mac: VIRTUAL_MAC, address: VIP });
  expect(tookOver.atMs).toBeLessThanOrEqual(killedMs + 3000);
  expect(host.cache.get(VIP)).toBe(VIRTUAL_MAC);

  const before = host.received.length;
  world.toRouter("B", resolve());
  expect(world.boxes.get("B")!.router.counters().queued).toBe(0);
  world.run(1);
  expect(host.received.length).toBe(before + 1);
});

function resolve() {
  return {
    kind: "resolve",
    ...{ interface: INSIDE, nextHop: at(HOST), networkOffset: 14, frame: forwarded() },
  } as const;
}

test("gratuitous ARP is repeated, and again when a partition heals", () => {
  const world = pair();
  world.isParted = true;
  world.run(10_000);
  expect(world.active()).toEqual(["A", "B"]);
  const healedMs = world.nowMs;
  world.isParted = false;
  world.run(10_000);
  expect(world.active()).toEqual(["A"]);
  expect(claims(world, "A", healedMs).length).toBeGreaterThanOrEqual(3);
});

test("whoever claims the virtual address by ARP is named, and the active router says it is not so (H04)", () => {
  const world = pair();
  const atMs = world.nowMs;
  const spoofed = {
    operation: 2,
    sender: "10.0.0.3",
    senderMac: "0200.0000.0666",
    target: "10.0.0.3",
  } as const;
  world.send("attacker", arp(spoofed)).run(5000);
  expect(world.logs).toContain(
    `A %HSRP-4-DUPADDR: Duplicate address 10.0.0.3 on ${INSIDE}, sourced by 0200.0000.0666`,
  );
  expect(claims(world, "A", atMs)).toHaveLength(3);
  expect(claims(world, "B", atMs)).toEqual([]);
  expect(world.active()).toEqual(["A"]);
});

test("an address of the box that another station has is defended, at a limited rate", () => {
  const world = pair();
  const atMs = world.nowMs;
  const claim = arp({ operation: 1, sender: "10.0.0.1", senderMac: "0200.0000.0666", target: HOST });
  for (let i = 0; i < 50; i++) world.send("attacker", claim).run(100);
  const lines = world.logs.filter((line) => line.includes("%IP-4-DUPADDR"));
  expect(lines).toEqual([
    `A %IP-4-DUPADDR: Duplicate address 10.0.0.1 on ${INSIDE}, sourced by 0200.0000.0666`,
  ]);
  const defences = framesOf(world, "A", atMs)
    .map(arpOf)
    .filter((each) => each?.sender.address === at("10.0.0.1") && each.target.address === at("10.0.0.1"));
  expect(defences).toHaveLength(1);
});

test("hosts hear of the virtual router of IPv6 from the active router alone, and before and after a take-over", () => {
  const world = pair();
  const advertisers = (sinceMs: number) =>
    world.sent
      .filter(({ atMs, frame }) => atMs >= sinceMs && frame[54] === 134 && frame[12] === 0x86)
      .map(({ from, frame }) => [from, ETHERNET.parse(frame)!.source, parseIp(frame.subarray(14))!.source]);
  expect(advertisers(0).length).toBeGreaterThan(1);
  expect(
    advertisers(0).every(
      ([from, mac, source]) => from === "A" && mac === VIRTUAL_MAC6 && source === at(VIRTUAL6),
    ),
  ).toBe(true);
  const killedMs = world.nowMs;
  world.kill("A").run(5000);
  expect(advertisers(killedMs)[0]).toEqual(["B", VIRTUAL_MAC6, at(VIRTUAL6)]);
});
