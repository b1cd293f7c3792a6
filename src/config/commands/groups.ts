/** `object-group`: sets of addresses and of services that access lists name. */
import { type Address, formatAddress } from "../../ip.js";
import { formatIcmp, formatNumberMatch, portNames } from "../ace.js";
import { networkMatch, prefixMatch } from "../arguments.js";
import { command, commandWith, fail, type Row } from "../command.js";
import { put, remove } from "../lists.js";
import type { AddressMatch, Family, GroupMember, NumberMatch, ObjectGroup, Position } from "../model.js";
import {
  IP_PROTOCOL_ICMP,
  IP_PROTOCOL_ICMP6,
  IP_PROTOCOL_TCP,
  IP_PROTOCOL_UDP,
  type IcmpMatch,
  PROTOCOLS,
  PROTOCOLS6,
  TCP_UDP_PORTS,
} from "../names.js";

type Kind = ObjectGroup["kind"];
type GroupMode = "network-group" | "service-group" | "v6-network-group" | "v6-service-group";
type Member<K extends GroupMember["kind"]> = Extract<GroupMember, { kind: K }>;

const familyOf = (kind: Kind): Family => (kind.startsWith("v6") ? 6 : 4);

function showAddress(match: Member<"address">["match"]): string {
  if (match.kind === "any") return "any";
  if (match.kind === "prefix") {
    const address = formatAddress(match.address);
    return match.prefixLength === 128 ? `host ${address}` : `${address}/${match.prefixLength}`;
  }
  const address = formatAddress(match.address);
  return match.wildcard === 0 ? `host ${address}` : `${address} ${formatAddress(~match.wildcard >>> 0)}`;
}

function showService(
  { protocols, sourcePort, destinationPort, icmp }: Member<"service">,
  family: Family,
): string {
  if (protocols === undefined) return family === 4 ? "ip" : "ipv6";
  const [protocol] = protocols;
  const both = protocols.length > 1;
  const names = both ? TCP_UDP_PORTS : portNames(protocol);
  const words = [
    both ? "tcp-udp" : ((family === 4 ? PROTOCOLS : PROTOCOLS6).name(protocol!) ?? `${protocol}`),
  ];
  if (icmp) words.push(formatIcmp(icmp, family));
  if (sourcePort) words.push(`source ${formatNumberMatch(sourcePort, names)}`);
  if (destinationPort) words.push(formatNumberMatch(destinationPort, names));
  return words.join(" ");
}

/** A member as its group's block has it. */
export function formatMember(member: GroupMember, kind: Kind): string {
  switch (member.kind) {
    case "address":
      return showAddress(member.match);
    case "range":
      return `range ${formatAddress(member.low)} ${formatAddress(member.high)}`;
    case "group":
      return `group-object ${member.name}`;
    case "service":
      return showService(member, familyOf(kind));
  }
}

function groupRow(kind: Kind, mode: GroupMode, example: string): Row {
  return commandWith<{ name: string }>()({
    mode: "global",
    syntax: `object-group ${kind} <name:word>`,
    help: "a set of addresses or services",
    example,
    enters: mode,
    set: (config, a, { at }) => {
      const known = config.objectGroups.get(a.name);
      if (known) return known.kind === kind ? known : fail(`${a.name} is a ${known.kind} group`, "name");
      const made: ObjectGroup = { at, name: a.name, kind, members: [] };
      config.objectGroups.set(a.name, made);
      return made;
    },
    remove: (config, a) => {
      if (config.objectGroups.get(a.name)?.kind === kind) config.objectGroups.delete(a.name);
    },
    blocks: (config) => [...config.objectGroups.values()].filter((group) => group.kind === kind),
    header: (group) => `object-group ${kind} ${group.name}`,
  });
}

/** A row of a block: the syntax of a member, and the member that its arguments make. */
interface MemberForm {
  syntax: string;
  example: string;
  help: string;
  member(a: MemberArguments, at: Position): GroupMember | ReturnType<typeof fail>;
}

interface MemberArguments {
  any?: true;
  host?: Address;
  address?: number;
  prefixLength?: number;
  prefix4?: { address: number; prefixLength: number };
  prefix?: { address: bigint; prefixLength: number };
  low?: Address;
  high?: Address;
  name?: string;
  protocol?: number;
  icmp?: IcmpMatch;
  sourcePort?: NumberMatch;
  destinationPort?: NumberMatch;
}

const NESTED: MemberForm = {
  syntax: "group-object <name:word>",
  example: "group-object SERVERS",
  help: "all members of another group",
  member: (a, at) => ({ at, kind: "group", name: a.name! }),
};

const addressMember = (at: Position, match: AddressMatch): GroupMember => ({
  at,
  kind: "address",
  match: match as Member<"address">["match"],
});

const RANGE: Pick<MemberForm, "member" | "help"> = {
  help: "addresses from one to another",
  member: (a, at) =>
    a.low! <= a.high!
      ? { at, kind: "range", low: a.low!, high: a.high! }
      : fail("the range is empty", "high"),
};

const ANY: MemberForm = {
  syntax: "<any>",
  example: "any",
  help: "every address",
  member: (_a, at) => ({ at, kind: "address", match: { kind: "any" } }),
};

const NETWORK_FORMS: readonly MemberForm[] = [
  {
    syntax: "host <host:ipv4>",
    example: "host 192.0.2.1",
    help: "one address",
    member: (a, at) => addressMember(at, networkMatch(a.host as number, 32)),
  },
  ANY,
  { syntax: "range <low:ipv4> <high:ipv4>", example: "range 10.0.0.5 10.0.0.9", ...RANGE },
  NESTED,
  {
    syntax: "(<address:ipv4> <prefixLength:mask> | <prefix4:prefix4>)",
    example: "10.0.0.0 255.255.255.0",
    help: "a network and its mask",
    member: (a, at) => {
      const { address, prefixLength } = a.prefix4 ?? { address: a.address!, prefixLength: a.prefixLength! };
      return addressMember(at, networkMatch(address, prefixLength));
    },
  },
];

const NETWORK_FORMS6: readonly MemberForm[] = [
  {
    syntax: "host <host:ipv6>",
    example: "host 2001:db8::1",
    help: "one address",
    member: (a, at) => addressMember(at, prefixMatch(a.host as bigint, 128)),
  },
  ANY,
  { syntax: "range <low:ipv6> <high:ipv6>", example: "range 2001:db8::5 2001:db8::9", ...RANGE },
  NESTED,
  {
    syntax: "<prefix:prefix6>",
    example: "2001:db8:1::/48",
    help: "a network",
    member: (a, at) => addressMember(at, prefixMatch(a.prefix!.address, a.prefix!.prefixLength)),
  },
];

/** A service over transports with these ports. */
const portsForm = (word: "tcp" | "udp" | "tcp-udp", protocols: number[], example: string): MemberForm => ({
  syntax: `${word} [source <sourcePort:${word}-group-ports>] [<destinationPort:${word}-group-ports>]`,
  example,
  help: "ports of a transport",
  member: (a, at) => ({
    at,
    kind: "service",
    protocols,
    ...(a.sourcePort && { sourcePort: a.sourcePort }),
    ...(a.destinationPort && { destinationPort: a.destinationPort }),
  }),
});

const serviceForms = (family: Family): readonly MemberForm[] => [
  {
    syntax: family === 4 ? "ip" : "ipv6",
    example: family === 4 ? "ip" : "ipv6",
    help: "every protocol",
    member: (_a, at) => ({ at, kind: "service" }),
  },
  {
    syntax: family === 4 ? "icmp [<icmp:icmp>]" : "icmp [<icmp:icmp6>]",
    example: family === 4 ? "icmp echo" : "icmp echo-request",
    help: "ICMP messages",
    member: (a, at) => {
      const protocols = [family === 4 ? IP_PROTOCOL_ICMP : IP_PROTOCOL_ICMP6];
      return { at, kind: "service", protocols, ...(a.icmp && { icmp: a.icmp }) };
    },
  },
  portsForm("tcp", [IP_PROTOCOL_TCP], "tcp source gt 1023 eq www"),
  portsForm("udp", [IP_PROTOCOL_UDP], "udp range 5000 5010"),
  portsForm("tcp-udp", [IP_PROTOCOL_TCP, IP_PROTOCOL_UDP], "tcp-udp eq domain"),
  NESTED,
  {
    syntax: family === 4 ? "<protocol:protocol>" : "<protocol:protocol6>",
    example: "esp",
    help: "a protocol by name or number",
    member: (a, at) => ({ at, kind: "service", protocols: [a.protocol!] }),
  },
];

function memberRows(kind: Kind, mode: GroupMode, forms: readonly MemberForm[]): Row[] {
  const keyOf = (member: GroupMember) => formatMember(member, kind);
  const rows = forms.map((form) =>
    commandWith<MemberArguments>()({
      mode,
      syntax: form.syntax,
      help: form.help,
      example: form.example,
      set: (group, a, { at }) => {
        const member = form.member(a, at);
        return "failure" in member ? member : put(group.members, member, keyOf);
      },
      remove: (group, a, { at }) => {
        const member = form.member(a, at);
        if ("failure" in member) return member;
        return remove(group.members, keyOf(member), keyOf);
      },
    }),
  );
  const description = command({
    mode,
    syntax: "description <text:description>",
    help: "a text for people",
    example: "description the mail servers",
    set: (group, a) => {
      group.description = a.text;
    },
    unset: (group) => {
      group.description = undefined;
    },
    show: (group) => (group.description === undefined ? [] : [`description ${group.description}`]),
  });
  const [first, ...more] = rows;
  // The first row writes all members, so that they keep their order.
  return [description, { ...first!, show: (group) => (group as ObjectGroup).members.map(keyOf) }, ...more];
}

export const OBJECT_GROUPS: readonly Row[] = [
  groupRow("network", "network-group", "object-group network SERVERS"),
  ...memberRows("network", "network-group", NETWORK_FORMS),
  groupRow("service", "service-group", "object-group service WEB"),
  ...memberRows("service", "service-group", serviceForms(4)),
  groupRow("v6-network", "v6-network-group", "object-group v6-network SERVERS6"),
  ...memberRows("v6-network", "v6-network-group", NETWORK_FORMS6),
  groupRow("v6-service", "v6-service-group", "object-group v6-service WEB6"),
  ...memberRows("v6-service", "v6-service-group", serviceForms(6)),
];
