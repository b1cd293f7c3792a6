/**
 * A pair on the wire, as others see it: tshark decodes all that it says without a complaint, only the active speaks for the
 * virtual addresses, and who takes over tells the LANs.
 */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { requireLab } from "./lab.js";
import { ADDRESSES, INSIDE, OUTSIDE, otherSide, Pair, SIDES, type Side, VIRTUAL_MAC } from "./pair.js";
import { run, sleep } from "./system.js";

const isPossible = requireLab("sysctl", "cc", "dumpcap", "tshark", "arping");

const BFD_MS = 100;
/** Ports of the switches, in the order in which the capture numbers them. */
const PORTS = ["a.eth0", "b.eth0", "a.eth1", "b.eth1", "a.eth2", "b.eth2"];
/** The group on each LAN, with the device by which a box is on it. */
const GROUPS = [
  { name: "inside", gateway: INSIDE.gateway, mac: VIRTUAL_MAC.inside, device: "eth0" },
  { name: "outside", gateway: OUTSIDE.gateway, mac: VIRTUAL_MAC.outside, device: "eth1" },
] as const;
/** `state` of a hello of version 1 (RFC 2281 §5.1). */
const ACTIVE = 16;

const OWN_MACS = ["eth.src[0:4] == 02:00:00:00", "eth.src[0:5] == 00:00:0c:07:ac"];
const OWN = `(${OWN_MACS.join(" or ")}) and (hsrp or sctp or bfd or arp)`;

/** Values of fields of the frames that a filter picks, a row for each. */
function decode(file: string, filter: string, ...fields: readonly string[]): string[][] {
  const checks = ["sctp.checksum:CRC-32C", "ip.check_checksum:TRUE", "udp.check_checksum:TRUE"];
  const options = [...checks.flatMap((check) => ["-o", check]), ...fields.flatMap((field) => ["-e", field])];
  const said = run("tshark", ["-r", file, "-Y", filter, "-T", "fields", ...options]);
  return said
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split("\t"));
}

const interfaceOf = (side: Side, device: string) => String(PORTS.indexOf(`${side}.${device}`));

describe.skipIf(!isPossible).sequential("a pair on the wire", () => {
  let pair: Pair;
  let active: Side;
  /** Of all that happened: start, take-over, return. */
  let whole: string;
  /** From the death of the active on. */
  let takeover: string;

  beforeAll(async () => {
    pair = new Pair({ bfdMs: BFD_MS });
    whole = join(pair.lab.directory, "whole.pcapng");
    takeover = join(pair.lab.directory, "takeover.pcapng");
    const all = await pair.lab.capture(PORTS, whole);
    await pair.start();
    active = await pair.untilWhole();
    for (const { box, gateway } of [
      { box: pair.inside, gateway: INSIDE.gateway },
      { box: pair.outside, gateway: OUTSIDE.gateway },
    ])
      box.run("arping", ["-c", "3", "-w", "2", "-I", "eth0", gateway]);
    const later = await pair.lab.capture(PORTS, takeover);
    await pair.firewall(active).kill();
    await pair.start();
    await sleep(1000);
    for (const capture of [later, all]) await capture.stop("SIGINT");
  }, 120_000);
  afterAll(() => pair?.close());

  test.each(["hsrp", "sctp", "bfd", "arp"])("tshark has nothing against %s", (protocol) => {
    expect(decode(whole, `${OWN} and ${protocol}`, "frame.number").length).toBeGreaterThan(3);
    const complaints = decode(
      whole,
      `${OWN} and ${protocol} and _ws.expert.severity >= "Warning"`,
      "frame.number",
      "_ws.expert.message",
    );
    expect(complaints).toEqual([]);
    expect(decode(whole, `${OWN} and ${protocol} and _ws.malformed`, "frame.number")).toEqual([]);
  });

  test.each(GROUPS)("hellos of the active come from the virtual MAC, $name", ({ gateway, mac }) => {
    const hellos = decode(
      whole,
      `hsrp.opcode == 0 and hsrp.state == ${ACTIVE} and hsrp.virt_ip == ${gateway}`,
      "eth.src",
    );
    expect(hellos.length).toBeGreaterThan(3);
    expect(new Set(hellos.flat())).toEqual(new Set([mac]));
    const others = decode(
      whole,
      `hsrp.opcode == 0 and hsrp.state != ${ACTIVE} and hsrp.virt_ip == ${gateway}`,
      "eth.src",
    );
    expect(others.length).toBeGreaterThan(3);
    expect(new Set(others.flat())).not.toContain(mac);
  });

  test.each(GROUPS)(
    "the active alone answers ARP for the virtual address, $name",
    ({ gateway, mac, device }) => {
      // Unicast: a switch's port sees what its own box has sent.
      const answers = decode(
        whole,
        `arp.opcode == 2 and not arp.isgratuitous and arp.src.proto_ipv4 == ${gateway}`,
        "frame.interface_id",
        "arp.src.hw_mac",
        "frame.time_epoch",
      );
      expect(answers.length).toBeGreaterThanOrEqual(1);
      expect(new Set(answers.map(([, sender]) => sender))).toEqual(new Set([mac]));
      const before = Number(decode(takeover, "frame.number == 1", "frame.time_epoch")[0]![0]);
      const early = answers.filter(([, , time]) => Number(time) < before);
      expect(early.length).toBeGreaterThanOrEqual(3);
      expect(new Set(early.map(([port]) => port))).toEqual(new Set([interfaceOf(active, device)]));
    },
  );

  test.each(GROUPS)(
    "who takes over announces itself by gratuitous ARP, $name",
    ({ gateway, mac, device }) => {
      const announced = decode(
        takeover,
        `arp.isgratuitous and arp.src.proto_ipv4 == ${gateway}`,
        "eth.src",
        "frame.interface_id",
      );
      const port = interfaceOf(otherSide(active), device);
      expect(announced.filter(([source, at]) => source === mac && at === port).length).toBeGreaterThanOrEqual(
        2,
      );
      expect(new Set(announced.map(([source]) => source))).toEqual(new Set([mac]));
    },
  );

  test("each box speaks with its own addresses", () => {
    const paths = decode(whole, "bfd or sctp", "ip.src", "ip.dst");
    const known = SIDES.flatMap((side) =>
      (["inside", "outside", "sync"] as const).map(
        (lan) => `${ADDRESSES[side][lan]} ${ADDRESSES[otherSide(side)][lan]}`,
      ),
    );
    expect(new Set(paths.map((path) => path.join(" ")))).toEqual(new Set(known));
  });
});
