/** What logs and reports call an IP protocol. */

export const isTcp = (protocol: number): boolean => protocol === 6;
export const isUdp = (protocol: number): boolean => protocol === 17;
export const isIcmp = (protocol: number): boolean => protocol === 1 || protocol === 58;

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
