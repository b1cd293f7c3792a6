/** What follows from a configuration and the devices for the threads of a box. */
import { encapsulationPort, usedAssociation } from "../../check/topology.js";
import { type Config, DEFAULTS } from "../../config/model.js";
import type { MemoryPlan } from "../../core.js";
import type { Mac } from "../../frame.js";
import type { Attachment, Mapping } from "../../live/mapping.js";
import type { Sharing } from "../../node/shared-sessions.js";
import { identityOf, updateMsOf } from "../../redundancy/index.js";
import type { Device } from "../linux/device.js";
import type { NamedPort } from "./dataplane-calls.js";

/** What the devices say of each interface, by its name. */
export interface Wiring {
  readonly macs: ReadonlyMap<string, Mac>;
  readonly mtus: ReadonlyMap<string, number>;
  readonly devices: ReadonlyMap<string, string>;
  readonly ports: readonly NamedPort[];
}

export function wiringOf({ interfaces, ports }: Mapping, devices: readonly Device[]): Wiring {
  const named = <T>(value: (port: number) => T): ReadonlyMap<string, T> =>
    new Map(interfaces.map(({ name, port }) => [name, value(port)]));
  return {
    macs: named((port) => devices[port]!.mac),
    mtus: named((port) => devices[port]!.mtu),
    devices: named((port) => ports[port]!.device),
    ports: interfaces.map((each) => ({ ...each, mac: devices[each.port]!.mac })),
  };
}

/** Whether a box of this configuration is half of a pair does not depend on what the peer has to fit. */
export const sharingOf = (config: Config): Sharing => ({
  isPaired: identityOf(config, { software: "", layout: 0, capacity: 0 }) !== undefined,
  updateMs: updateMsOf(config),
});

/** Also of an association over IP, which has no port: then nobody speaks there. */
export function sessionPortOf(config: Config): number {
  const association = usedAssociation(config);
  return (association && encapsulationPort(association)) ?? DEFAULTS.encapsulationPort;
}

export const roomIn = ({ capacity: { rules, fragments }, bankSize }: MemoryPlan) => ({
  rules,
  fragments,
  bankSize,
});

export const policyOptions = ({ macs, mtus }: Wiring) => ({ macs, mtus });

export const attachmentsOf = ({ ports }: Mapping): Attachment[] =>
  ports.map(({ interface: name, device }) => ({ interface: name, device }));
