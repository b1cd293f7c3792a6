/** What logs and reports call an IP protocol. */

/** The protocols that sessions are counted by. */
const NAMES: ReadonlyMap<number, string> = new Map([
  [1, "icmp"],
  [6, "tcp"],
  [17, "udp"],
  [58, "icmpv6"],
]);

/** "tcp", "udp", "icmp", "icmpv6", or the number. */
export function protocolName({ protocol }: { readonly protocol: number }): string {
  return NAMES.get(protocol) ?? String(protocol);
}
