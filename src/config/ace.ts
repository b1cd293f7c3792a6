/** Access list entries as text: how each part of an entry is written, and an entry as a whole. */
import { formatIpv4, formatIpv6 } from "../ip.js";
import type { AccessEntry, AccessList, Ace, AddressMatch, Family, NumberMatch } from "./model.js";
import {
  DESTINATION_OPTIONS,
  DSCP_NAMES,
  ICMP6_NAMES,
  ICMP_NAMES,
  type IcmpMatch,
  IGMP_TYPES,
  IP_OPTIONS,
  IP_PROTOCOL_TCP,
  IP_PROTOCOL_UDP,
  MOBILITY_TYPES,
  type NameTable,
  PRECEDENCES,
  PROTOCOLS,
  PROTOCOLS6,
  SCTP_PORTS,
  TCP_FLAGS,
  TCP_PORTS,
  TOS_NAMES,
  UDP_PORTS,
} from "./names.js";

/** An address of an entry as text: `any`, `host A`, `A W`, `X::/n`, `object-group NAME`. */
export function formatAddressMatch(match: AddressMatch): string {
  switch (match.kind) {
    case "any":
      return "any";
    case "group":
      return `object-group ${match.name}`;
    case "wildcard":
      if (match.wildcard === 0) return `host ${formatIpv4(match.address)}`;
      return `${formatIpv4(match.address)} ${formatIpv4(match.wildcard)}`;
    case "prefix": {
      const address =
        typeof match.address === "bigint" ? formatIpv6(match.address) : formatIpv4(match.address);
      return match.prefixLength === 128 ? `host ${address}` : `${address}/${match.prefixLength}`;
    }
  }
}

/** A comparison as text; numbers that have a name in the table are printed with it. */
export function formatNumberMatch(match: NumberMatch, names?: NameTable): string {
  const text = (value: number) => names?.name(value) ?? String(value);
  switch (match.op) {
    case "eq":
    case "neq":
      return `${match.op} ${match.values.map(text).join(" ")}`;
    case "gt":
    case "lt":
      return `${match.op} ${text(match.value)}`;
    case "range":
      return `range ${text(match.low)} ${text(match.high)}`;
  }
}

/** The port names of a protocol. */
export function portNames(protocol: number | undefined): NameTable {
  if (protocol === IP_PROTOCOL_TCP) return TCP_PORTS;
  return protocol === IP_PROTOCOL_UDP ? UDP_PORTS : SCTP_PORTS;
}

/** An ICMP type as text: its name, or its numbers. */
export function formatIcmp(icmp: IcmpMatch, family: Family): string {
  const name = (family === 4 ? ICMP_NAMES : ICMP6_NAMES).name(icmp);
  return name ?? (icmp.code === undefined ? `${icmp.type}` : `${icmp.type} ${icmp.code}`);
}

function formatFlags(flags: NonNullable<Ace["flags"]>): string[] {
  const all = Object.entries(TCP_FLAGS);
  if (flags.mode === "any" && flags.clear === 0) {
    return all.filter(([, bit]) => (flags.set & bit) !== 0).map(([name]) => name);
  }
  const signed = all.flatMap(([name, bit]) => {
    if ((flags.set & bit) !== 0) return [`+${name}`];
    return (flags.clear & bit) !== 0 ? [`-${name}`] : [];
  });
  return [`match-${flags.mode}`, ...signed];
}

function formatExtensions(ace: Ace): string[] {
  const words: string[] = [];
  const extension = (name: string, header: { type?: number } | undefined, names?: NameTable) => {
    if (header === undefined) return;
    if (header.type === undefined) words.push(name);
    else words.push(`${name}-type ${names?.name(header.type) ?? header.type}`);
  };
  if (ace.flowLabel !== undefined) words.push(`flow-label ${ace.flowLabel}`);
  extension("routing", ace.routing);
  extension("mobility", ace.mobility, MOBILITY_TYPES);
  extension("dest-option", ace.destinationOption, DESTINATION_OPTIONS);
  if (ace.hopByHop) words.push("hbh");
  if (ace.authenticationHeader) words.push("auth");
  if (ace.undeterminedTransport) words.push("undetermined-transport");
  return words;
}

/** An entry of an extended or IPv6 list as the running configuration has it, without its number. */
export function formatAce(ace: Ace, family: Family): string {
  const words: string[] = [ace.action];
  const ports = portNames(ace.protocol);
  if (ace.serviceGroup !== undefined) words.push(`object-group ${ace.serviceGroup}`);
  else if (ace.protocol === undefined) words.push(family === 4 ? "ip" : "ipv6");
  else words.push((family === 4 ? PROTOCOLS : PROTOCOLS6).name(ace.protocol) ?? `${ace.protocol}`);
  words.push(formatAddressMatch(ace.source));
  if (ace.sourcePort) words.push(formatNumberMatch(ace.sourcePort, ports));
  words.push(formatAddressMatch(ace.destination));
  if (ace.destinationPort) words.push(formatNumberMatch(ace.destinationPort, ports));
  if (ace.icmp) words.push(formatIcmp(ace.icmp, family));
  if (ace.igmpType !== undefined) words.push(IGMP_TYPES.name(ace.igmpType) ?? `${ace.igmpType}`);
  if (ace.established) words.push("established");
  if (ace.flags) words.push(...formatFlags(ace.flags));
  if (ace.dscp !== undefined) words.push(`dscp ${DSCP_NAMES.name(ace.dscp) ?? ace.dscp}`);
  if (ace.precedence !== undefined)
    words.push(`precedence ${PRECEDENCES.name(ace.precedence) ?? ace.precedence}`);
  if (ace.tos !== undefined) words.push(`tos ${TOS_NAMES.name(ace.tos) ?? ace.tos}`);
  if (ace.ecn !== undefined) words.push(`ecn ${ace.ecn}`);
  if (ace.ttl) words.push(`ttl ${formatNumberMatch(ace.ttl)}`);
  if (ace.option === "any") words.push("option any-options");
  else if (ace.option !== undefined) words.push(`option ${IP_OPTIONS.name(ace.option) ?? ace.option}`);
  words.push(...formatExtensions(ace));
  if (ace.fragments) words.push("fragments");
  const log = ace.log === undefined ? [] : [ace.log];
  if (ace.logCookie === undefined) words.push(...log);
  if (ace.timeRange !== undefined) words.push(`time-range ${ace.timeRange}`);
  if (ace.logCookie !== undefined) words.push(...log, ace.logCookie);
  return words.join(" ");
}

/** An entry of a standard list: only a source; a host is a bare address. */
function formatStandardAce(ace: Ace): string {
  const words: string[] = [ace.action, formatAddressMatch(ace.source).replace(/^host /, "")];
  if (ace.log) words.push(ace.log);
  if (ace.logCookie !== undefined) words.push(ace.logCookie);
  return words.join(" ");
}

/** An entry of any list as the running configuration has it, without its number. */
export function formatEntry(entry: AccessEntry, list: Pick<AccessList, "family" | "kind">): string {
  if (entry.kind === "remark") return `remark ${entry.text}`;
  return list.kind === "standard" ? formatStandardAce(entry) : formatAce(entry, list.family);
}
