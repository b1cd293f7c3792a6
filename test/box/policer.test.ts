/** What is for the box itself is limited by its kind and its interface. */
import { describe, expect, test } from "vitest";
import { POLICED_KINDS, Policer, RATES } from "../../src/live/policer.js";
import { ARP_REQUEST, arpMessage } from "../../src/arp.js";
import { ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6, ethernetFrame, ipPacket } from "../../src/frame.js";

const SECOND_MS = 1000;
const HOST_MAC = "0200.0000.0001";
const BOX_MAC = "0200.0000.0002";
const ETHERNET_HEADER = 14;

describe("a policer", () => {
  test.each(POLICED_KINDS)("admits a burst of %s, then its rate", (kind) => {
    const policer = new Policer(4);
    const admitted = (offered: number, nowMs: number): number => {
      let count = 0;
      for (let i = 0; i < offered; i++) if (policer.admits(kind, 1, nowMs)) count++;
      return count;
    };
    const { burst, everyMs } = RATES[kind];
    expect(admitted(2 * burst, 0)).toBe(burst);
    expect(policer.refused[kind]).toBe(burst);
    const tenthMs = SECOND_MS / 10;
    expect(admitted(2 * burst, tenthMs)).toBe(Math.min(burst, tenthMs / everyMs));
  });

  test("keeps interfaces and kinds apart", () => {
    const policer = new Policer(4);
    while (policer.admits("hsrp", 1, 0));
    expect(policer.admits("hsrp", 2, 0)).toBe(true);
    expect(policer.admits("bfd", 1, 0)).toBe(true);
  });

  test("earns nothing by a clock that goes back", () => {
    const policer = new Policer(4);
    while (policer.admits("other", 1, SECOND_MS));
    expect(policer.admits("other", 1, 0)).toBe(false);
  });

  test("refuses an interface that there is not", () => {
    const policer = new Policer(2);
    expect(policer.admits("arp", 2, 0)).toBe(false);
    expect(policer.refused.arp).toBe(1);
  });
});

describe("the kind of a frame", () => {
  const policer = new Policer(1);
  const udp = (port: number): Uint8Array => Uint8Array.of(0xc0, 0, port >> 8, port & 255, 0, 8, 0, 0);
  const frame4 = (protocol: number, payload: Uint8Array): Uint8Array =>
    ethernetFrame(
      BOX_MAC,
      HOST_MAC,
      ETHERTYPE_IPV4,
      ipPacket({ source: 1, destination: 2, protocol, ttl: 1 }, payload),
    );
  const frame6 = (protocol: number, payload: Uint8Array): Uint8Array =>
    ethernetFrame(
      BOX_MAC,
      HOST_MAC,
      ETHERTYPE_IPV6,
      ipPacket({ source: 1n, destination: 2n, protocol, ttl: 1 }, payload),
    );
  const arp = ethernetFrame(
    BOX_MAC,
    HOST_MAC,
    ETHERTYPE_ARP,
    arpMessage(ARP_REQUEST, { mac: HOST_MAC, address: 1 }, { mac: BOX_MAC, address: 2 }),
  );

  test.each([
    ["arp", 0, arp],
    ["hsrp", 17, frame4(17, udp(1985))],
    ["hsrp", 17, frame6(17, udp(2029))],
    ["bfd", 17, frame4(17, udp(3784))],
    ["session", 17, frame4(17, udp(9899))],
    ["session", 132, frame4(132, udp(9899))],
    ["other", 17, frame4(17, udp(33434))],
    ["other", 1, frame4(1, Uint8Array.of(8, 0, 0, 0))],
    ["discovery", 58, frame6(58, Uint8Array.of(135, 0, 0, 0))],
    ["other", 58, frame6(58, Uint8Array.of(128, 0, 0, 0))],
    ["other", 6, frame6(6, Uint8Array.of(0, 22, 0, 22))],
  ] as const)("%s, protocol %d", (kind, protocol, frame) => {
    expect(policer.kindOf(frame, ETHERNET_HEADER, protocol)).toBe(kind);
    // However short it is cut, there is an answer.
    for (let length = 0; length < frame.length; length++)
      expect(POLICED_KINDS).toContain(policer.kindOf(frame.subarray(0, length), ETHERNET_HEADER, protocol));
  });
});
