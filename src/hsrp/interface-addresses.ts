/** The IPv6 addresses of an interface and its groups that no configuration spells out: they follow from MAC addresses. */
import type { Interface, StandbyGroup } from "../config/model.js";
import type { Mac } from "../frame.js";
import type { Address } from "../ip.js";
import { isLinkLocal, linkLocalOf, virtualLinkLocal, virtualMac } from "./addresses.js";

/** Where the virtual MAC address of a group comes from: `standby mac-address`, `standby use-bia`, its number. */
export type MacOrigin = "configured" | "bia" | "default";

const EUI64_HOST = (1n << 64n) - 1n;

/**
 * The configured link-local address, else the one that an interface with IPv6 gives itself (RFC 4862); undefined: it has
 * none, or its MAC address would have to be known.
 */
export function linkLocalAddress(each: Interface, mac: Mac | undefined): bigint | undefined {
  const configured = each.addresses6.find(({ linkLocal, eui64: derived }) => linkLocal && !derived);
  if (configured !== undefined) return configured.address as bigint;
  const hasIpv6 = each.addresses6.length > 0 || each.ipv6Enable === true;
  return hasIpv6 && mac !== undefined ? linkLocalOf(mac) : undefined;
}

/** The link-local addresses of the IPv6 groups of an interface; the MAC address is needed with `standby use-bia`. */
export function virtualLinkLocals(each: Interface, mac: Mac | undefined): bigint[] {
  const { standby } = each;
  return [...standby.groups.values()].flatMap((group) => {
    if (group.ipv6 === undefined) return [];
    const { address } = group.ipv6;
    if (address !== "autoconfig" && isLinkLocal(address)) return [address as bigint];
    const known = { bia: mac, configured: group.macAddress, default: virtualMac(2, 6, group.group) };
    const virtual = known[originOfMac(each, group)];
    return virtual === undefined ? [] : [virtualLinkLocal(virtual)];
  });
}

/** The prefix with the modified EUI-64 of a MAC address behind it (RFC 4291, appendix A). */
export function eui64(prefix: Address, mac: Mac): bigint {
  return ((prefix as bigint) & ~EUI64_HOST) | (linkLocalOf(mac) & EUI64_HOST);
}

export function originOfMac(each: Interface, group: StandbyGroup): MacOrigin {
  if (group.macAddress !== undefined) return "configured";
  return each.standby.useBia ? "bia" : "default";
}
