/** Entries, lists and packets for the tests of the evaluator. */
import { expect } from "vitest";
import { type AclPacket, evaluate } from "../../src/acl/evaluate.js";
import type { AccessEntry, AccessList, Ace, AddressMatch, Config, Family } from "../../src/config/model.js";
import { emptyConfig } from "../../src/config/parse.js";
import { type Address, parseAddress, parseCidr, parseIpv4 } from "../../src/ip.js";

export const at = { line: 1, column: 1 };
export const ip = (text: string): Address => parseAddress(text)!;
export const ipv4 = (text: string): number => parseIpv4(text)!;

/** `any`, `A.B.C.D W.W.W.W`, `X::/n`, `@GROUP`, or a host. */
export function address(text: string): AddressMatch {
  if (text === "any") return { kind: "any" };
  if (text.startsWith("@")) return { kind: "group", name: text.slice(1) };
  if (text.includes(":")) {
    const { network, prefixLength } = parseCidr(text)!;
    return { kind: "prefix", address: network, prefixLength };
  }
  const [host, wildcard] = text.split(" ");
  return { kind: "wildcard", address: ipv4(host!), wildcard: wildcard === undefined ? 0 : ipv4(wildcard) };
}

export interface Entry extends Partial<Omit<Ace, "source" | "destination">> {
  source?: string;
  destination?: string;
}

export function permit({ source = "any", destination = "any", ...rest }: Entry = {}): Ace {
  return {
    kind: "ace",
    at,
    sequence: 10,
    action: "permit",
    established: false,
    fragments: false,
    source: address(source),
    destination: address(destination),
    ...rest,
  };
}

export const deny = (entry: Entry = {}): Ace => permit({ ...entry, action: "deny" });

export function configWith(
  entries: AccessEntry[],
  family: Family = 4,
  kind: AccessList["kind"] = "extended",
): Config {
  const list: AccessList = { at, family, name: "L", kind, entries };
  return {
    ...emptyConfig("test.cfg"),
    [family === 4 ? "accessLists" : "accessLists6"]: new Map([["L", list]]),
  };
}

export const TCP: AclPacket = {
  source: ip("10.0.0.5"),
  destination: ip("192.0.2.9"),
  protocol: 6,
  sourcePort: 40_000,
  destinationPort: 80,
  tcpFlags: 2,
  trafficClass: 0,
  ttl: 64,
  options: [],
};
export const UDP: AclPacket = { ...TCP, protocol: 17, tcpFlags: undefined, destinationPort: 53 };
export const ECHO: AclPacket = {
  source: TCP.source,
  destination: TCP.destination,
  protocol: 1,
  icmpType: 8,
  icmpCode: 0,
};
export const TCP6: AclPacket = { ...TCP, source: ip("2001:db8::5"), destination: ip("2001:db8:1::9") };

/** Whether one permit entry alone takes the packet. */
export function takes(entry: Entry, packet: AclPacket, config = configWith([])): boolean {
  const family: Family = typeof packet.source === "number" ? 4 : 6;
  const lists = configWith([permit(entry)], family);
  const whole = { ...config, accessLists: lists.accessLists, accessLists6: lists.accessLists6 };
  const { action, entry: by } = evaluate(whole, "L", packet);
  expect(action).toBe(by === undefined ? "deny" : "permit");
  return by !== undefined;
}
