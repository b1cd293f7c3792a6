/**
 * The services that `ip inspect name NAME SERVICE` can name and the ports of the system-defined port map: which
 * packets a service is. A destination port belongs to a service by this table, or by an `ip port-map` line.
 * Source: Cisco IOS 12.4 `ip inspect name`, `ip port-map`; numbers: IANA service name registry.
 */
import type { PortMapping } from "../config/model.js";

export type Transport = "tcp" | "udp";

/** Ports of one transport, both ends included. */
export interface PortRange {
  readonly transport: Transport;
  readonly low: number;
  readonly high: number;
}

export interface Service {
  readonly name: string;
  /** None for the services that are a whole protocol (`tcp`, `udp`, `icmp`, `ip`). */
  readonly ports: readonly PortRange[];
}

const tcp = (low: number, high = low): PortRange => ({ transport: "tcp", low, high });
const udp = (low: number, high = low): PortRange => ({ transport: "udp", low, high });
const both = (port: number): PortRange[] => [tcp(port), udp(port)];
const row = (name: string, ...ports: PortRange[]): Service => ({ name, ports });

/** In the order of their numbers: new rows go to the end. */
export const SERVICES: readonly Service[] = [
  row("tcp"),
  row("udp"),
  row("icmp"),
  row("ip"),

  row("ftp", tcp(21)),
  row("ftps", tcp(990)),
  row("tftp", udp(69)),
  row("http", tcp(80)),
  row("https", tcp(443)),
  row("smtp", tcp(25)),
  row("esmtp", tcp(25)),
  row("imap", tcp(143)),
  row("imap3", tcp(220)),
  row("imaps", tcp(993)),
  row("pop3", tcp(110)),
  row("pop3s", tcp(995)),
  row("dns", ...both(53)),
  row("sip", ...both(5060)),
  row("sip-tls", tcp(5061)),
  row("rtsp", tcp(554), tcp(8554)),
  row("realaudio", tcp(7070)),
  row("netshow", tcp(1755)),
  row("streamworks", udp(1558)),
  row("vdolive", tcp(7000)),
  row("cuseeme", udp(7648)),
  row("h323", tcp(1720)),
  row("h323callsigalt", tcp(11720)),
  row("skinny", tcp(2000)),
  row("mgcp", udp(2427)),
  row("rcmd", tcp(514)),
  row("rpc", ...both(111)),
  row("sunrpc", ...both(111)),
  row("sqlnet", tcp(1521)),
  row("ssh", tcp(22)),
  row("telnet", tcp(23)),
  row("ldap", tcp(389)),
  row("ntp", udp(123)),
  row("snmp", udp(161)),
  row("syslog", udp(514)),
  row("isakmp", udp(500)),
  row("l2tp", udp(1701)),
  row("pptp", tcp(1723)),
  row("ipsec-msft", udp(4500)),
  row("kerberos", ...both(88)),
  row("radius", udp(1812, 1813)),
  row("tacacs", tcp(49)),
  row("nfs", ...both(2049)),
  row("netbios-ns", udp(137)),
  row("netbios-dgm", udp(138)),
  row("netbios-ssn", tcp(139)),
  row("microsoft-ds", tcp(445)),
  row("ms-sql", tcp(1433)),
  row("mysql", tcp(3306)),
  row("oracle", tcp(1525)),
  row("citrix", tcp(1494)),
  row("pcanywheredata", tcp(5631)),
  row("pcanywherestat", udp(5632)),
  row("x11", tcp(6000)),
  row("bittorrent", tcp(6881, 6889)),
  row("gnutella", tcp(6346, 6347)),
  row("edonkey", tcp(4662)),
  row("fasttrack", tcp(1214)),
  row("aol", tcp(5190)),
  row("ymsgr", tcp(5050)),
  row("msnmsgr", tcp(1863)),
];

/** The name under which DNS has its own timeout. */
export const DNS = "dns";

const BY_NAME = new Map(SERVICES.map((service) => [service.name, service]));

/**
 * All ports of a service: the system's and those that `ip port-map` lines add. A line with a host list counts for
 * some hosts only, which is not supported: it is left out, so that nothing is opened for the others.
 */
export function portsOf(name: string, portMap: readonly PortMapping[]): PortRange[] {
  const ports = [...(BY_NAME.get(name)?.ports ?? [])];
  for (const mapping of portMap) {
    if (mapping.protocol !== name || mapping.list !== undefined) continue;
    for (const transport of mapping.transports) {
      for (const { low, high } of mapping.ports) ports.push({ transport, low, high });
    }
  }
  return ports;
}
