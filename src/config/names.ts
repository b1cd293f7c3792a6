/**
 * The names that IOS gives to numbers: protocols, ports, ICMP types, precedence, TOS, DSCP, options, log levels.
 * Each table is read by the parser (name to number), by the writer (number to name) and by logs. The names and values
 * are those of Cisco's `access-list` reference; DSCP follows RFC 2474, 2597 and 3246.
 */

/** A table of names: what a name stands for, and which name a number is printed with. */
export interface NameTable {
  /** All names that are read, for help and near misses. */
  readonly names: readonly string[];
  /** The number behind a name or its unique abbreviation, in any case; undefined when there is none. */
  value(text: string): number | undefined;
  /** The name a number is printed with, or undefined when it is printed as a number. */
  name(value: number): string | undefined;
}

const wordsOf = (text: string) => text.trim().split(/\s+/);

/** Splits `name number, name number`. */
function entriesOf(text: string): [name: string, number: string][] {
  if (text === "") return [];
  return text.split(",").map((entry) => entry.trim().split(" ") as [string, string]);
}

/**
 * Makes a table of `name number, name number`. When two names stand for one number, the first is printed. `readOnly`
 * names are understood but never printed, because IOS 12.4 does not know them.
 */
function nameTable(text: string, readOnly = ""): NameTable {
  const entries = entriesOf(text).map(([name, number]) => [name, Number(number)] as const);
  const others = entriesOf(readOnly).map(([name, number]) => [name, Number(number)] as const);
  return tableOf(entries, others);
}

function tableOf(
  entries: readonly (readonly [string, number])[],
  readOnly: readonly (readonly [string, number])[] = [],
): NameTable {
  const values = new Map([...entries, ...readOnly]);
  const printed = new Map<number, string>();
  for (const [name, value] of entries) if (!printed.has(value)) printed.set(value, name);
  const names = [...values.keys()].sort();
  return {
    names,
    value: (text) => {
      const wanted = text.toLowerCase();
      const exact = values.get(wanted);
      if (exact !== undefined || !/^[a-z]/.test(wanted)) return exact;
      const matches = names.filter((name) => name.startsWith(wanted));
      return matches.length === 1 ? values.get(matches[0]!) : undefined;
    },
    name: (value) => printed.get(value),
  };
}

/** Protocol numbers of the IP header (IANA "Assigned Internet Protocol Numbers") that commands treat apart. */
export const IP_PROTOCOL_ICMP = 1;
export const IP_PROTOCOL_IGMP = 2;
export const IP_PROTOCOL_TCP = 6;
export const IP_PROTOCOL_UDP = 17;
export const IP_PROTOCOL_ICMP6 = 58;
export const IP_PROTOCOL_SCTP = 132;

/** IPv4 protocols of an access list; `ip` (any protocol) is not one of them. */
export const PROTOCOLS = nameTable(`
  ahp 51, eigrp 88, esp 50, gre 47, icmp 1, igmp 2, igrp 9, ipinip 4, nos 94, ospf 89, pcp 108,
  pim 103, sctp 132, tcp 6, udp 17
`);

/** IPv6 protocols of an access list; `ipv6` (any protocol) is not one of them. */
export const PROTOCOLS6 = nameTable("ahp 51, esp 50, icmp 58, pcp 108, sctp 132, tcp 6, udp 17");

export const TCP_PORTS = nameTable(
  `
  bgp 179, chargen 19, cmd 514, daytime 13, discard 9, domain 53, drip 3949, echo 7, exec 512,
  finger 79, ftp 21, ftp-data 20, gopher 70, hostname 101, ident 113, irc 194, klogin 543, kshell 544,
  login 513, lpd 515, msrpc 135, nntp 119, pim-auto-rp 496, pop2 109, pop3 110, smtp 25, sunrpc 111,
  syslog 514, tacacs 49, talk 517, telnet 23, time 37, uucp 540, whois 43, www 80
`,
  "http 80, https 443, ssh 22",
);

export const UDP_PORTS = nameTable(
  `
  biff 512, bootpc 68, bootps 67, discard 9, dnsix 195, domain 53, echo 7, isakmp 500, mobile-ip 434,
  nameserver 42, netbios-dgm 138, netbios-ns 137, netbios-ss 139, non500-isakmp 4500, ntp 123,
  pim-auto-rp 496, rip 520, ripv6 521, snmp 161, snmptrap 162, sunrpc 111, syslog 514, tacacs 49,
  talk 517, tftp 69, time 37, who 513, xdmcp 177
`,
);

/** SCTP ports have no names on IOS. */
export const SCTP_PORTS = nameTable("");

/** Ports of a `tcp-udp` service: only the names that both transports give to the same number. */
export const TCP_UDP_PORTS = nameTable(
  TCP_PORTS.names
    .filter((name) => UDP_PORTS.names.includes(name) && TCP_PORTS.value(name) === UDP_PORTS.value(name))
    .map((name) => `${name} ${TCP_PORTS.value(name)}`)
    .join(),
);

/** ICMP type in the high byte, code in the low one; a type without a code has ANY_CODE. */
const ANY_CODE = 0x1_0000;
const icmpKey = (type: number, code?: number) => (type << 8) | (code ?? ANY_CODE);

export interface IcmpMatch {
  type: number;
  code?: number;
}

export interface IcmpNames {
  readonly names: readonly string[];
  value(text: string): IcmpMatch | undefined;
  name(match: IcmpMatch): string | undefined;
}

/** Makes a table of `name type` and `name type/code`. */
function icmpTable(text: string): IcmpNames {
  const table = tableOf(
    entriesOf(text).map(([name, number]) => {
      const [type, code] = number.split("/").map(Number);
      return [name, icmpKey(type!, code)];
    }),
  );
  return {
    names: table.names,
    value: (text) => {
      const key = table.value(text);
      if (key === undefined) return undefined;
      const type = (key >> 8) & 255;
      return key & ANY_CODE ? { type } : { type, code: key & 255 };
    },
    name: ({ type, code }) => table.name(icmpKey(type, code)),
  };
}

export const ICMP_NAMES = icmpTable(`
  administratively-prohibited 3/13, alternate-address 6, conversion-error 31, dod-host-prohibited 3/10,
  dod-net-prohibited 3/9, echo 8, echo-reply 0, general-parameter-problem 12/0, host-isolated 3/8,
  host-precedence-unreachable 3/14, host-redirect 5/1, host-tos-redirect 5/3,
  host-tos-unreachable 3/12, host-unknown 3/7, host-unreachable 3/1, information-reply 16,
  information-request 15, mask-reply 18, mask-request 17, mobile-redirect 32, net-redirect 5/0,
  net-tos-redirect 5/2, net-tos-unreachable 3/11, net-unreachable 3/0, network-unknown 3/6,
  no-room-for-option 12/2, option-missing 12/1, packet-too-big 3/4, parameter-problem 12,
  port-unreachable 3/3, precedence-unreachable 3/15, protocol-unreachable 3/2, reassembly-timeout 11/1,
  redirect 5, router-advertisement 9, router-solicitation 10, source-quench 4, source-route-failed 3/5,
  time-exceeded 11, timestamp-reply 14, timestamp-request 13, traceroute 30, ttl-exceeded 11/0,
  unreachable 3
`);

export const ICMP6_NAMES = icmpTable(`
  address-unreachable 1/3, beyond-scope 1/2, destination-unreachable 1, echo-reply 129,
  echo-request 128, header 4/0, hop-limit 3/0, mld-query 130, mld-reduction 132, mld-report 131,
  mldv2 143, nd-na 136, nd-ns 135, next-header 4/1, no-admin 1/1, no-route 1/0, packet-too-big 2,
  parameter-option 4/2, parameter-problem 4, port-unreachable 1/4, reassembly-timeout 3/1,
  renum-command 138/0, renum-result 138/1, renum-seq-number 138/255, router-advertisement 134,
  router-renumbering 138, router-solicitation 133, time-exceeded 3, unreachable 1
`);

/** Values of the type byte of the IGMP header (RFC 1112, 2236, 3376). */
export const IGMP_TYPES = nameTable(`
  host-query 0x11, host-report 0x12, dvmrp 0x13, pim 0x14, trace 0x15, v2-report 0x16, v2-leave 0x17,
  v3-report 0x22
`);

export const PRECEDENCES = nameTable(`
  routine 0, priority 1, immediate 2, flash 3, flash-override 4, critical 5, internet 6, network 7
`);

export const TOS_NAMES = nameTable(`
  normal 0, min-monetary-cost 1, max-reliability 2, max-throughput 4, min-delay 8
`);

/** RFC 2474 class selectors, RFC 2597 afXY = 8X + 2Y, RFC 3246 ef. */
export const DSCP_NAMES = nameTable(
  [
    "default 0",
    ...[1, 2, 3, 4, 5, 6, 7].map((n) => `cs${n} ${8 * n}`),
    ...[1, 2, 3, 4].flatMap((x) => [1, 2, 3].map((y) => `af${x}${y} ${8 * x + 2 * y}`)),
    "ef 46",
  ].join(),
);

/** Type byte of an IPv4 option (IANA "IP Option Numbers"). */
export const IP_OPTIONS = nameTable(`
  add-ext 147, com-security 134, dps 151, encode 15, eool 0, ext-ip 145, ext-security 133, finn 205,
  imitd 144, lsr 131, mtup 11, mtur 12, no-op 1, nsapa 150, record-route 7, router-alert 148, sdb 149,
  security 130, ssr 137, stream-id 136, timestamp 68, traceroute 82, ump 152, visa 142, zsu 10
`);

/** Message types of the IPv6 mobility header (RFC 6275 section 6.1). */
export const MOBILITY_TYPES = nameTable(`
  bind-refresh 0, hoti 1, coti 2, hot 3, cot 4, bind-update 5, bind-acknowledgement 6, bind-error 7
`);

/** Option types of the IPv6 destination options header. */
export const DESTINATION_OPTIONS = nameTable("home-address 201");

/** The bit of each TCP flag, in the order in which IOS prints them. */
export const TCP_FLAGS: Readonly<Record<string, number>> = {
  ack: 0x10,
  fin: 0x01,
  psh: 0x08,
  rst: 0x04,
  syn: 0x02,
  urg: 0x20,
};

/** Severity of a log line (RFC 5424 numbers, Cisco's words). */
export const LOG_LEVELS = nameTable(`
  emergencies 0, alerts 1, critical 2, errors 3, warnings 4, notifications 5, informational 6,
  debugging 7
`);

/** Syslog facilities that `logging facility` takes. */
export const LOG_FACILITIES = nameTable(`
  kern 0, user 1, mail 2, daemon 3, auth 4, syslog 5, lpr 6, news 7, uucp 8, sys9 9, sys10 10,
  sys11 11, sys12 12, sys13 13, sys14 14, cron 15, local0 16, local1 17, local2 18, local3 19,
  local4 20, local5 21, local6 22, local7 23
`);

/** Days as bits, Monday first, and the words that stand for several. */
export const DAYS: Readonly<Record<string, number>> = {
  Monday: 0b0000001,
  Tuesday: 0b0000010,
  Wednesday: 0b0000100,
  Thursday: 0b0001000,
  Friday: 0b0010000,
  Saturday: 0b0100000,
  Sunday: 0b1000000,
};
export const DAY_WORDS: Readonly<Record<string, number>> = {
  daily: 0b1111111,
  weekdays: 0b0011111,
  weekend: 0b1100000,
};
export const MONTHS: readonly string[] = wordsOf(`
  January February March April May June July August September October November December
`);

/**
 * Keywords of `ip inspect name NAME KEYWORD` that take only the common options. The keywords with options of their own
 * (tcp, udp, icmp, http, rpc, smtp, esmtp, imap, pop3, fragment, parameter) have rows of their own.
 */
export const INSPECT_PROTOCOLS: readonly string[] = wordsOf(`
  aol bittorrent citrix cuseeme dns edonkey fasttrack ftp ftps gnutella h323 h323callsigalt https imap3
  imaps ipsec-msft isakmp kerberos l2tp ldap mgcp microsoft-ds ms-sql msnmsgr mysql netbios-dgm
  netbios-ns netbios-ssn netshow nfs ntp oracle pcanywheredata pcanywherestat pop3s pptp radius rcmd
  realaudio rtsp sip sip-tls skinny snmp sqlnet ssh streamworks sunrpc syslog tacacs telnet tftp vdolive x11
  ymsgr
`);

/** Interface types, in full. */
export const INTERFACE_TYPES: readonly string[] = wordsOf(`
  Async ATM BVI Dialer Ethernet FastEthernet GigabitEthernet Loopback Multilink Null Port-channel
  Serial TenGigabitEthernet Tunnel Virtual-Template Vlan
`);
