/**
 * A policy as one contiguous image, as assembly/layout.ts draws it:
 *
 *   header | interfaces | IPv4 routes | IPv6 routes | their spans | inspection rules | their entries | access lists
 */
import * as L from "../../assembly/layout.js";
import { bigintToBytes, ipv4Mask, ipv6Mask } from "../ip.js";
import type { FragmentLimits } from "./fragments.js";
import type { InspectionRule } from "./inspection.js";
import { interfaceFlags, type PolicyInterface, reversePathFlags, statefulFlags } from "./interfaces.js";
import type { Route } from "./routes.js";
import { cutIntoSpans, type Span } from "./spans.js";

/** The access lists that are bound to an interface, by number; 0 none. */
export interface ListBindings {
  readonly aclIn4: number;
  readonly aclOut4: number;
  readonly aclIn6: number;
  readonly aclOut6: number;
}

/** The inspection rules that are bound to an interface, by number; 0 none. */
export interface InspectionBindings {
  readonly inspectIn4: number;
  readonly inspectOut4: number;
  readonly inspectIn6: number;
  readonly inspectOut6: number;
}

export interface ImageParts {
  /** PF_*. */
  readonly flags: number;
  /** By number. */
  readonly interfaces: readonly PolicyInterface[];
  /** By interface number. */
  readonly bindings: readonly (ListBindings & InspectionBindings)[];
  /** Longest prefix first, both families. */
  readonly routes: readonly Route[];
  /** By number. */
  readonly inspection: readonly (InspectionRule | undefined)[];
  readonly fragments: FragmentLimits;
  /** The section of the access lists, self-contained. */
  readonly acls: Uint8Array;
  /** Numbers of two interfaces of which each is the egress of the other, instead of routes. */
  readonly pair?: readonly [number, number];
  /** Versions of IP that every interface takes part in, because routes are not those of the configuration. */
  readonly families: ReadonlySet<4 | 6>;
}

/** The sections of an image start at multiples of this; that of the access lists needs it. */
const SECTION_ALIGNMENT = 64;

/** Writes the image. Everything in `parts` fits its fields: the parts see to that. */
export function writeImage(parts: ImageParts): Uint8Array<ArrayBuffer> {
  const { interfaces, inspection, acls, fragments } = parts;
  const routes4 = parts.routes.filter(({ network }) => typeof network === "number");
  const routes6 = parts.routes.filter(({ network }) => typeof network === "bigint");
  const tree4 = cutIntoSpans(routes4);
  const tree6 = cutIntoSpans(routes6);
  const entries = inspection.flatMap((rule) => rule?.entries ?? []);

  let end = L.POLICY_HEADER_SIZE;
  const section = (size: number): number => {
    const at = Math.ceil(end / SECTION_ALIGNMENT) * SECTION_ALIGNMENT;
    end = at + size;
    return at;
  };
  const interfacesAt = section(interfaces.length * L.INTERFACE_SIZE);
  const routes4At = section(routes4.length * L.ROUTE4_SIZE);
  const routes6At = section(routes6.length * L.ROUTE6_SIZE);
  const spans4At = section(tree4.spans.length * (L.SPAN4_SIZE + L.SPAN_ROUTE_SIZE));
  const spans6At = section(tree6.spans.length * (L.SPAN6_SIZE + L.SPAN_ROUTE_SIZE));
  const inspectAt = section(inspection.length * L.INSPECT_SIZE);
  const entriesAt = section(entries.length * L.ENTRY_SIZE);
  const aclsAt = section(acls.length);

  const image = new Uint8Array(Math.ceil(end / SECTION_ALIGNMENT) * SECTION_ALIGNMENT);
  const view = new DataView(image.buffer);
  const header: readonly (readonly [field: number, value: number])[] = [
    [L.P_MAGIC, L.POLICY_MAGIC],
    [L.P_LAYOUT, L.LAYOUT_VERSION],
    [L.P_SIZE, image.length],
    [L.P_FLAGS, parts.flags],
    [L.P_INTERFACES, interfacesAt],
    [L.P_INTERFACE_COUNT, interfaces.length],
    [L.P_ROUTES4, routes4At],
    [L.P_ROUTE4_COUNT, routes4.length],
    [L.P_ROUTES6, routes6At],
    [L.P_ROUTE6_COUNT, routes6.length],
    [L.P_SPANS4, spans4At],
    [L.P_SPAN4_COUNT, tree4.spans.length],
    [L.P_SPANS6, spans6At],
    [L.P_SPAN6_COUNT, tree6.spans.length],
    [L.P_INSPECT, inspectAt],
    [L.P_INSPECT_COUNT, inspection.length],
    [L.P_INSPECT_ENTRIES, entriesAt],
    [L.P_INSPECT_ENTRY_COUNT, entries.length],
    [L.P_ACLS, aclsAt],
    [L.P_ACLS_SIZE, acls.length],
    [L.P_FRAGMENT_MAX, fragments.frames],
    [L.P_FRAGMENT_PER_SOURCE, fragments.perSource],
    [L.P_FRAGMENT_PER_DATAGRAM, fragments.perDatagram],
    [L.P_PAIR_A, parts.pair?.[0] ?? 0],
    [L.P_PAIR_B, parts.pair?.[1] ?? 0],
  ];
  for (const [field, value] of header) view.setUint32(field, value, true);
  for (const each of interfaces) {
    const at = interfacesAt + each.number * L.INTERFACE_SIZE;
    view.setUint8(at + L.I_FLAGS, interfaceFlags(each, parts.families));
    writeInterface(view, at, each, parts.bindings[each.number]!);
  }
  routes4.forEach((route, i) => {
    const at = routes4At + i * L.ROUTE4_SIZE;
    writeRoute4(view, at, route);
    view.setUint16(at + L.ROUTE4_WIDER, tree4.wider[i]!, true);
  });
  routes6.forEach((route, i) => {
    const at = routes6At + i * L.ROUTE6_SIZE;
    writeRoute6(image, at, route);
    view.setUint16(at + L.ROUTE6_WIDER, tree6.wider[i]!, true);
  });
  writeSpans(view, spans4At, tree4.spans, L.SPAN4_SIZE, (at, start) => {
    view.setUint32(at, Number(start), true);
  });
  writeSpans(view, spans6At, tree6.spans, L.SPAN6_SIZE, (at, start) => {
    view.setBigUint64(at, start >> 64n, true);
    view.setBigUint64(at + 8, BigInt.asUintN(64, start), true);
  });
  writeInspection(view, inspectAt, entriesAt, inspection);
  image.set(acls, aclsAt);
  return image;
}

function writeInterface(
  view: DataView,
  at: number,
  each: PolicyInterface,
  bound: ListBindings & InspectionBindings,
): void {
  view.setUint8(at + L.I_RPF4, reversePathFlags(each.config, 4));
  view.setUint8(at + L.I_RPF6, reversePathFlags(each.config, 6));
  view.setUint8(at + L.I_VLAN_PARENT, each.parent);
  each.mac?.forEach((byte, i) => {
    view.setUint8(at + L.I_MAC + i, byte);
  });
  view.setUint16(at + L.I_VLAN, each.vlan, true);
  view.setUint16(at + L.I_ACL_IN4, bound.aclIn4, true);
  view.setUint16(at + L.I_ACL_OUT4, bound.aclOut4, true);
  view.setUint16(at + L.I_ACL_IN6, bound.aclIn6, true);
  view.setUint16(at + L.I_ACL_OUT6, bound.aclOut6, true);
  view.setUint8(at + L.I_INSPECT_IN4, bound.inspectIn4);
  view.setUint8(at + L.I_INSPECT_OUT4, bound.inspectOut4);
  view.setUint8(at + L.I_INSPECT_IN6, bound.inspectIn6);
  view.setUint8(at + L.I_INSPECT_OUT6, bound.inspectOut6);
  view.setUint8(at + L.I_STATEFUL, statefulFlags(each.config));
  view.setUint8(at + L.I_NATIVE, each.native);
}

function writeRoute4(view: DataView, at: number, route: Route): void {
  view.setUint32(at + L.ROUTE4_NETWORK, route.network as number, true);
  view.setUint32(at + L.ROUTE4_MASK, ipv4Mask(route.prefixLength), true);
  view.setUint8(at + L.ROUTE4_INTERFACE, route.interface);
  view.setUint8(at + L.ROUTE4_FLAGS, route.flags);
  // In the order of the wire, as the core reads addresses of packets.
  view.setUint32(at + L.ROUTE4_GATEWAY, (route.gateway ?? 0) as number, false);
}

function writeRoute6(image: Uint8Array, at: number, route: Route): void {
  image.set(bigintToBytes(route.network as bigint), at + L.ROUTE6_NETWORK);
  image.set(bigintToBytes(ipv6Mask(route.prefixLength)), at + L.ROUTE6_MASK);
  image[at + L.ROUTE6_INTERFACE] = route.interface;
  image[at + L.ROUTE6_FLAGS] = route.flags;
  image.set(bigintToBytes((route.gateway ?? 0n) as bigint), at + L.ROUTE6_GATEWAY);
}

function writeSpans(
  view: DataView,
  startsAt: number,
  spans: readonly Span[],
  size: number,
  writeStart: (at: number, start: bigint) => void,
): void {
  const routesAt = startsAt + spans.length * size;
  spans.forEach(({ start, route }, i) => {
    writeStart(startsAt + i * size, start);
    view.setUint16(routesAt + i * L.SPAN_ROUTE_SIZE, route, true);
  });
}

function writeInspection(
  view: DataView,
  rulesAt: number,
  entriesAt: number,
  inspection: readonly (InspectionRule | undefined)[],
): void {
  let next = 0;
  inspection.forEach((rule, number) => {
    const at = rulesAt + number * L.INSPECT_SIZE;
    view.setUint32(at + L.IN_FIRST, next, true);
    view.setUint32(at + L.IN_COUNT, rule?.entries.length ?? 0, true);
    for (const entry of rule?.entries ?? []) {
      const to = entriesAt + next++ * L.ENTRY_SIZE;
      view.setUint8(to + L.E_PROTOCOL, entry.protocol);
      view.setUint8(to + L.E_FLAGS, entry.audit ? L.CF_AUDIT : 0);
      view.setUint16(to + L.E_PORT_LOW, entry.portLow, true);
      view.setUint16(to + L.E_PORT_HIGH, entry.portHigh, true);
      view.setUint16(to + L.E_SERVICE, entry.serviceNumber, true);
      view.setUint8(to + L.E_TIMER, entry.timer);
    }
  });
}
