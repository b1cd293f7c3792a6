/**
 * Which network device carries which interface of the configuration (`--map IFACE=DEVICE`). A device carries one interface
 * and its subinterfaces.
 */
import { interfaceName } from "../config/arguments.js";
import { nearest } from "../config/diagnostics.js";
import type { Config, Interface } from "../config/model.js";
import { hasAddress, isUp, portOf } from "../check/topology.js";
import { tagOf } from "../policy/interfaces.js";

/** One `--map`. */
export interface Attachment {
  /** Name of the interface, full or abbreviated. */
  readonly interface: string;
  readonly device: string;
}

/** A device that the box takes its frames from. */
export interface LivePort {
  /** As descriptors name it, from 0. */
  readonly number: number;
  readonly device: string;
  /** Full name of the interface that it carries untagged. */
  readonly interface: string;
}

/** An interface and where its frames go. */
export interface LiveInterface {
  readonly name: string;
  /** Number of the port. */
  readonly port: number;
  /** Tag that its frames leave with; 0 none. */
  readonly vlan: number;
}

export interface Mapping {
  readonly ports: readonly LivePort[];
  readonly interfaces: readonly LiveInterface[];
  /** What a user may want to know. */
  readonly notes: readonly string[];
}

/** A device name has at most so many characters (IFNAMSIZ - 1). */
const DEVICE_NAME_MAX = 15;

/** The mapping, or everything that is wrong with it, in words for the user. */
export function planMapping(
  config: Config,
  attachments: readonly Attachment[],
): Mapping | { readonly problems: readonly string[] } {
  const names = [...config.interfaces.keys()];
  const problems: string[] = [];
  const notes: string[] = [];
  const ports: LivePort[] = [];
  for (const { interface: wanted, device } of attachments) {
    const compact = wanted.replace(/\s+/g, "");
    const name = interfaceName(compact) ?? compact;
    const problem = attachmentProblem(name, device, config, ports);
    if (problem === undefined) ports.push({ number: ports.length, device, interface: name });
    else if (config.interfaces.has(name)) problems.push(`--map ${wanted}=${device}: ${problem}`);
    else problems.push(`--map ${wanted}=${device}: ${unknownInterface(name, names)}`);
  }
  const carriers = new Map(ports.map((port) => [port.interface, port.number]));
  const interfaces: LiveInterface[] = [];
  for (const each of config.interfaces.values()) {
    const port = carriers.get(portOf(each.name));
    if (port !== undefined) interfaces.push({ name: each.name, port, vlan: tagOf(each) });
    else if (isNeeded(each))
      problems.push(
        `${config.file}:${each.at.line}: ${each.name} has an address but no device; add --map ${portOf(each.name)}=DEVICE, ` +
          "or shut it down",
      );
    else notes.push(`${each.name} has no device: nothing goes in or out by it`);
  }
  return problems.length > 0 ? { problems } : { ports, interfaces, notes };
}

const isNeeded = (each: Interface): boolean => hasAddress(each) && isUp(each);

function attachmentProblem(
  name: string,
  device: string,
  config: Config,
  ports: readonly LivePort[],
): string | undefined {
  if (!config.interfaces.has(name)) return "no such interface";
  if (portOf(name) !== name) return `${name} is a subinterface; map ${portOf(name)}, which carries it`;
  if (device.length > DEVICE_NAME_MAX || /[\s/]/.test(device)) return `"${device}" is no name of a device`;
  if (ports.some((port) => port.interface === name)) return `${name} has a device already`;
  const other = ports.find((port) => port.device === device);
  return other && `${device} carries ${other.interface} already`;
}

function unknownInterface(name: string, names: readonly string[]): string {
  const near = nearest(name, names);
  const hint = near === undefined ? `it has ${names.join(", ") || "none"}` : `did you mean "${near}"?`;
  return `no interface "${name}" in the configuration; ${hint}`;
}
