/** `show interfaces` and `show ip interface brief`. */
import type { Config, Interface } from "../../config/model.js";
import { formatAddress, formatIpv4 } from "../../ip.js";
import type { InterfaceView } from "../backend.js";
import { plural, row, text } from "./layout.js";

const lineState = ({ isShutdown, isUp }: InterfaceView): readonly [status: string, protocol: string] => {
  if (isShutdown) return ["administratively down", "down"];
  return isUp ? ["up", "up"] : ["down", "down"];
};

export function interfacesText(views: readonly InterfaceView[], config: Config): string {
  return text(views.flatMap((view) => interfaceLines(view, config.interfaces.get(view.name))));
}

function interfaceLines(view: InterfaceView, configured: Interface | undefined): string[] {
  const [status, protocol] = lineState(view);
  const { counters } = view;
  return [
    `${view.name} is ${status}, line protocol is ${protocol}`,
    `  Hardware is ${view.device ?? "not mapped to a device"}${view.backend === undefined ? "" : ` (${view.backend})`}` +
      (view.mac === undefined ? "" : `, address is ${view.mac}`),
    ...(configured?.description === undefined ? [] : [`  Description: ${configured.description}`]),
    ...addressLines(configured),
    `  MTU ${view.mtuBytes} bytes`,
    ...(view.vlan === undefined ? [] : [`  Encapsulation 802.1Q Virtual LAN, Vlan ID ${view.vlan}`]),
    ...(view.offloads === undefined ? [] : [`  Offloads: ${view.offloads.join(", ") || "none"}`]),
    ...(counters === undefined
      ? []
      : [
          `     ${plural(counters.received, "packet")} input${bytesOf(view.receivedBytes)}`,
          `     ${plural(counters.ringFull, "packet")} lost, receive ring full`,
          `     ${plural(counters.noBuffer, "packet")} lost, no buffer`,
          `     ${plural(counters.sent, "packet")} output${bytesOf(view.sentBytes)}`,
          `     ${plural(counters.sendRefused, "packet")} not sent, transmit queue full`,
        ]),
  ];
}

const bytesOf = (bytes: number | undefined): string =>
  bytes === undefined ? "" : `, ${plural(bytes, "byte")}`;

function addressLines(configured: Interface | undefined): string[] {
  if (configured === undefined) return [];
  return [
    ...configured.addresses.map(
      ({ address, prefixLength, secondary }) =>
        `  ${secondary ? "Secondary" : "Internet"} address is ${formatIpv4(address)}/${prefixLength}`,
    ),
    ...configured.addresses6.map(
      ({ address, prefixLength }) => `  IPv6 address is ${formatAddress(address)}/${prefixLength}`,
    ),
  ];
}

const BRIEF = [26, 15, 3, 6, 21] as const;

export function interfaceBrief(views: readonly InterfaceView[], config: Config): string {
  return text([
    row(BRIEF, ["Interface", "IP-Address", "OK?", "Method", "Status", "Protocol"]),
    ...views.map((view) => {
      const primary = config.interfaces.get(view.name)?.addresses.find(({ secondary }) => !secondary);
      const address = primary === undefined ? "unassigned" : formatIpv4(primary.address);
      const method = primary === undefined ? "unset" : "manual";
      return row(BRIEF, [view.name, address, "YES", method, ...lineState(view)]);
    }),
  ]);
}
