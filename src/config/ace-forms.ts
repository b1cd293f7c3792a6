/**
 * The forms of access list entries, IPv4 and IPv6, and how their arguments become an entry. After Cisco's `access-list
 * (IP extended)` and `permit (IPv6)`.
 */
import { type Failure, fail } from "./command.js";
import { editDistance } from "./diagnostics.js";
import { SEQUENCE_MAX } from "./access-list.js";
import type { Ace, AddressMatch, Family, NumberMatch, Position } from "./model.js";
import {
  type IcmpMatch,
  IP_PROTOCOL_ICMP,
  IP_PROTOCOL_ICMP6,
  IP_PROTOCOL_IGMP,
  IP_PROTOCOL_SCTP,
  IP_PROTOCOL_TCP,
  IP_PROTOCOL_UDP,
  TCP_FLAGS,
} from "./names.js";

const TCP_OPTIONS =
  "<established> | match-any <matchAny:signed-flag*6> | match-all <matchAll:signed-flag*6> | " +
  "<ack> | <fin> | <psh> | <rst> | <syn> | <urg>";
const SHARED_OPTIONS =
  "<fragments> | <log=log|log-input> | dscp <dscp:dscp> | time-range <timeRange:word> | " +
  "<reflect> <reflectName:word> [timeout <reflectTimeout:1-2147483>]";
const IPV4_OPTIONS =
  `${SHARED_OPTIONS} | precedence <precedence:precedence> | tos <tos:tos> | ecn <ecn:0-3> | ttl <ttl:ttl> | ` +
  "option (<anyOption=any-options> | <option:ip-option>)";
const IPV6_OPTIONS =
  `${SHARED_OPTIONS} | flow-label <flowLabel:0-1048575> | <routing> | routing-type <routingType:0-255> | ` +
  "<mobility> | mobility-type <mobilityType:mobility-type> | <dest-option> | " +
  "dest-option-type <destOptionType:destination-option> | <hbh> | <auth> | <undetermined-transport> | " +
  `sequence <sequence:1-${SEQUENCE_MAX}>`;
/** Only as the last word, so that no option can be taken for it. */
const COOKIE = "[<log=log|log-input> <logCookie:word>]";

const OPTION_WORDS = `${TCP_OPTIONS} ${IPV4_OPTIONS} ${IPV6_OPTIONS}`.match(/[a-z][a-z-]{3,}/g)!;

/** One form of an entry after its sequence number. */
export interface AceForm {
  syntax: string;
  example: string;
  help: string;
}

/** The forms of an extended IPv4 entry. */
export const IPV4_FORMS: readonly AceForm[] = [
  {
    syntax: `<action=permit|deny> <tcp> <source:address4> [<sourcePort:tcp-ports>] <destination:address4> [<destinationPort:tcp-ports>] { ${TCP_OPTIONS} | ${IPV4_OPTIONS} } ${COOKIE}`,
    example: "permit tcp 10.0.0.0 0.0.0.255 gt 1023 host 192.0.2.1 eq smtp www established dscp ef log",
    help: "TCP segments",
  },
  {
    syntax: `<action=permit|deny> <udp> <source:address4> [<sourcePort:udp-ports>] <destination:address4> [<destinationPort:udp-ports>] { ${IPV4_OPTIONS} } ${COOKIE}`,
    example: "permit udp any range 1024 65535 object-group SERVERS eq domain log time-range WORK",
    help: "UDP datagrams",
  },
  {
    syntax: `<action=permit|deny> <sctp> <source:address4> [<sourcePort:sctp-ports>] <destination:address4> [<destinationPort:sctp-ports>] { ${IPV4_OPTIONS} } ${COOKIE}`,
    example: "permit sctp host 10.0.0.1 eq 5000 host 10.0.0.2 eq 5000",
    help: "SCTP packets",
  },
  {
    syntax: `<action=permit|deny> <icmp> <source:address4> <destination:address4> [<icmpType:icmp>] { ${IPV4_OPTIONS} } ${COOKIE}`,
    example: "deny icmp any 10.0.255.0 0.255.0.255 echo log-input",
    help: "ICMP messages",
  },
  {
    syntax: `<action=permit|deny> <igmp> <source:address4> <destination:address4> [<igmpType:igmp-type>] { ${IPV4_OPTIONS} } ${COOKIE}`,
    example: "permit igmp any host 224.0.0.2 v2-leave",
    help: "IGMP messages",
  },
  {
    syntax: `<action=permit|deny> (<ip> | <protocol:protocol>) <source:address4> <destination:address4> { ${IPV4_OPTIONS} } ${COOKIE}`,
    example: "deny ip any any precedence network tos min-delay ttl lt 5 option lsr fragments log TAG",
    help: "packets of any protocol, or of one by name or number",
  },
  {
    syntax: `<action=permit|deny> object-group <serviceGroup:word> <source:address4> <destination:address4> { ${IPV4_OPTIONS} } ${COOKIE}`,
    example: "permit object-group WEB object-group CLIENTS any",
    help: "packets of a service group",
  },
];

/** The forms of an IPv6 entry. */
export const IPV6_FORMS: readonly AceForm[] = [
  {
    syntax: `<action=permit|deny> <tcp> <source:address6> [<sourcePort:tcp-ports>] <destination:address6> [<destinationPort:tcp-ports>] { ${TCP_OPTIONS} | ${IPV6_OPTIONS} } ${COOKIE}`,
    example: "permit tcp 2001:db8::/32 host 2001:db8::1 eq www match-all -ack +syn",
    help: "TCP segments",
  },
  {
    syntax: `<action=permit|deny> <udp> <source:address6> [<sourcePort:udp-ports>] <destination:address6> [<destinationPort:udp-ports>] { ${IPV6_OPTIONS} } ${COOKIE}`,
    example: "permit udp any any eq domain flow-label 5",
    help: "UDP datagrams",
  },
  {
    syntax: `<action=permit|deny> <sctp> <source:address6> [<sourcePort:sctp-ports>] <destination:address6> [<destinationPort:sctp-ports>] { ${IPV6_OPTIONS} } ${COOKIE}`,
    example: "permit sctp any eq 5000 any",
    help: "SCTP packets",
  },
  {
    syntax: `<action=permit|deny> <icmp> <source:address6> <destination:address6> [<icmpType:icmp6>] { ${IPV6_OPTIONS} } ${COOKIE}`,
    example: "permit icmp any any nd-na",
    help: "ICMPv6 messages",
  },
  {
    syntax: `<action=permit|deny> (<ipv6> | <protocol:protocol6>) <source:address6> <destination:address6> { ${IPV6_OPTIONS} } ${COOKIE}`,
    example: "deny ipv6 any any routing-type 0 mobility dest-option hbh auth undetermined-transport log",
    help: "packets of any protocol, or of one by name or number",
  },
  {
    syntax: `<action=permit|deny> object-group <serviceGroup:word> <source:address6> <destination:address6> { ${IPV6_OPTIONS} } ${COOKIE}`,
    example: "permit object-group WEB6 object-group CLIENTS6 any",
    help: "packets of a service group",
  },
];

interface SignedFlag {
  bit: number;
  set: boolean;
}

/** Everything that the forms above put into slots. */
export interface AceArguments {
  sequence?: number;
  action: "permit" | "deny";
  tcp?: true;
  udp?: true;
  sctp?: true;
  icmp?: true;
  igmp?: true;
  ip?: true;
  ipv6?: true;
  protocol?: number;
  serviceGroup?: string;
  source: AddressMatch;
  destination: AddressMatch;
  sourcePort?: NumberMatch;
  destinationPort?: NumberMatch;
  icmpType?: IcmpMatch;
  igmpType?: number;
  established?: true;
  matchAny?: SignedFlag[];
  matchAll?: SignedFlag[];
  ack?: true;
  fin?: true;
  psh?: true;
  rst?: true;
  syn?: true;
  urg?: true;
  fragments?: true;
  log?: "log" | "log-input";
  logCookie?: string;
  dscp?: number;
  precedence?: number;
  tos?: number;
  ecn?: number;
  ttl?: NumberMatch;
  anyOption?: "any-options";
  option?: number;
  timeRange?: string;
  reflect?: true;
  flowLabel?: number;
  routing?: true;
  routingType?: number;
  mobility?: true;
  mobilityType?: number;
  "dest-option"?: true;
  destOptionType?: number;
  hbh?: true;
  auth?: true;
  "undetermined-transport"?: true;
}

function protocolOf(a: AceArguments, family: Family): number | undefined {
  if (a.tcp) return IP_PROTOCOL_TCP;
  if (a.udp) return IP_PROTOCOL_UDP;
  if (a.sctp) return IP_PROTOCOL_SCTP;
  if (a.icmp) return family === 4 ? IP_PROTOCOL_ICMP : IP_PROTOCOL_ICMP6;
  if (a.igmp) return IP_PROTOCOL_IGMP;
  return a.protocol;
}

/** The TCP flags of an entry, or why they cannot be. */
function flagsOf(a: AceArguments): Ace["flags"] | Failure {
  const bare = Object.entries(TCP_FLAGS).filter(([name]) => a[name as "ack"]);
  const signed = a.matchAny ?? a.matchAll;
  if ((bare.length > 0 && signed) || (a.matchAny && a.matchAll)) {
    return fail("flags are given in two ways", a.matchAll ? "matchAll" : "matchAny");
  }
  if (bare.length > 0) return { mode: "any", set: bare.reduce((mask, [, bit]) => mask | bit, 0), clear: 0 };
  if (!signed) return undefined;
  let set = 0;
  let clear = 0;
  for (const flag of signed) {
    if (((set | clear) & flag.bit) !== 0)
      return fail("a flag is given twice", a.matchAny ? "matchAny" : "matchAll");
    if (flag.set) set |= flag.bit;
    else clear |= flag.bit;
  }
  return { mode: a.matchAny ? "any" : "all", set, clear };
}

/** One edit for five letters, two for eight: what a slip of the hand makes of an option. */
function looksLikeOption(cookie: string): string | undefined {
  const allowed = cookie.length >= 8 ? 2 : cookie.length >= 5 ? 1 : 0;
  return OPTION_WORDS.find((word) => editDistance(cookie.toLowerCase(), word) <= allowed);
}

/** Builds an entry; its sequence number is 0 until it is in a list. */
export function buildAce(a: AceArguments, family: Family, at: Position): Ace | Failure {
  const flags = flagsOf(a);
  if (flags && "failure" in flags) return flags;
  const layer4 =
    a.sourcePort || a.destinationPort || a.icmpType || a.igmpType !== undefined || a.established || flags;
  if (a.fragments && layer4) {
    return fail("later fragments carry no ports, flags or types: `fragments` stands alone", "fragments");
  }
  if (a.reflect) return fail("reflexive entries are refused: inspection opens the way back", "reflect");
  if (a["undetermined-transport"] && a.action === "permit") {
    return fail("`undetermined-transport` can only be denied", "undetermined-transport");
  }
  if (a.logCookie !== undefined) {
    const option = looksLikeOption(a.logCookie);
    if (option !== undefined)
      return fail(`"${a.logCookie}" looks like "${option}"; choose another tag`, "logCookie");
  }
  const protocol = protocolOf(a, family);
  const routing = a.routing || a.routingType !== undefined;
  const mobility = a.mobility || a.mobilityType !== undefined;
  const destinationOption = a["dest-option"] || a.destOptionType !== undefined;
  return {
    kind: "ace",
    at,
    sequence: 0,
    action: a.action,
    ...(protocol !== undefined && { protocol }),
    ...(a.serviceGroup !== undefined && { serviceGroup: a.serviceGroup }),
    source: a.source,
    destination: a.destination,
    ...(a.sourcePort && { sourcePort: a.sourcePort }),
    ...(a.destinationPort && { destinationPort: a.destinationPort }),
    established: a.established ?? false,
    ...(flags && { flags }),
    ...(a.icmpType && { icmp: a.icmpType }),
    ...(a.igmpType !== undefined && { igmpType: a.igmpType }),
    fragments: a.fragments ?? false,
    ...(a.log && { log: a.log }),
    ...(a.logCookie !== undefined && { logCookie: a.logCookie }),
    ...(a.precedence !== undefined && { precedence: a.precedence }),
    ...(a.tos !== undefined && { tos: a.tos }),
    ...(a.dscp !== undefined && { dscp: a.dscp }),
    ...(a.ecn !== undefined && { ecn: a.ecn }),
    ...(a.ttl && { ttl: a.ttl }),
    ...(a.anyOption ? { option: "any" } : a.option !== undefined && { option: a.option }),
    ...(a.timeRange !== undefined && { timeRange: a.timeRange }),
    ...(a.flowLabel !== undefined && { flowLabel: a.flowLabel }),
    ...(routing && { routing: typed(a.routingType) }),
    ...(mobility && { mobility: typed(a.mobilityType) }),
    ...(destinationOption && { destinationOption: typed(a.destOptionType) }),
    ...(a.hbh && { hopByHop: true }),
    ...(a.auth && { authenticationHeader: true }),
    ...(a["undetermined-transport"] && { undeterminedTransport: true }),
  };
}

const typed = (type: number | undefined) => (type === undefined ? {} : { type });
