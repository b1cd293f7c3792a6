/** The values of options that are more than a word: each is checked when the command line is read. */
import { InvalidArgumentError, Option } from "commander";
import { CAPACITY_BOUNDS, CAPACITY_DEFAULT } from "../core.js";
import { parseAddress, parseCidr } from "../ip.js";
import { parsePlanned, type PlannedEvent } from "../pair/plan.js";
import { parseMac } from "../policy/interfaces.js";

/** `IFACE=VALUE`. */
export interface Assignment {
  readonly interface: string;
  readonly value: string;
}

function assignment(text: string, form: string): Assignment {
  const at = text.indexOf("=");
  const parts = { interface: text.slice(0, at).trim(), value: text.slice(at + 1).trim() };
  if (at <= 0 || parts.interface === "" || parts.value === "")
    throw new InvalidArgumentError(`Expected ${form}.`);
  return parts;
}

/** A repeatable option: each use appends what `read` makes of it. */
function appending<T>(read: (text: string) => T): (text: string, before: T[] | undefined) => T[] {
  return (text, before = []) => [...before, read(text)];
}

/** A whole number within bounds. */
export function numberWithin(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d{1,10}$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`Expected a number from ${min} to ${max}.`);
    }
    return value;
  };
}

export function configOption(): Option {
  return new Option("--config <file>", "running configuration of the firewall").makeOptionMandatory();
}

export function insideOption(): Option {
  const read = (text: string): string => {
    if (parseCidr(text) === undefined) throw new InvalidArgumentError("Expected A.B.C.D/n or X::/n.");
    return text;
  };
  return new Option(
    "--inside <cidr>",
    "network behind the inside interface, repeatable: packets are routed by side, whatever the routes say",
  ).argParser(appending(read));
}

export function onOption(): Option {
  return new Option(
    "--on <iface=n>",
    "packets captured on interface N (number or name) enter on IFACE, repeatable",
  ).argParser(appending((text) => assignment(text, "IFACE=N")));
}

/** `--fail WHAT@WHEN` or `--recover WHAT@WHEN`. */
export function planOption(kind: PlannedEvent["kind"], meaning: string): Option {
  const read = (text: string): PlannedEvent => {
    const planned = parsePlanned(kind, text);
    if ("problem" in planned) throw new InvalidArgumentError(`${planned.problem}.`);
    return planned;
  };
  return new Option(`--${kind} <what@when>`, meaning).argParser(appending(read));
}

export function seedOption(): Option {
  return new Option("--seed <n>", "of everything random, so that a run can be repeated")
    .argParser(numberWithin(0, 0xffffffff))
    .default(1);
}

export function macOption(): Option {
  const read = (text: string): Assignment => {
    const parts = assignment(text, "IFACE=MAC");
    if (parseMac(parts.value) === undefined)
      throw new InvalidArgumentError("Expected IFACE=aa:bb:cc:dd:ee:ff.");
    return parts;
  };
  return new Option(
    "--mac <iface=mac>",
    "MAC address of IFACE, repeatable: frames for other stations are dropped there",
  ).argParser(appending(read));
}

export function mapOption(): Option {
  return new Option(
    "--map <iface=device>",
    "network device that carries IFACE and its subinterfaces, repeatable",
  )
    .argParser(appending((text) => assignment(text, "IFACE=DEVICE")))
    .makeOptionMandatory();
}

const PORT_MAX = 65535;
const LOOPBACK = "127.0.0.1";

export function metricsOption(): Option {
  const read = (text: string): { address: string; port: number } => {
    const at = text.lastIndexOf(":");
    const address = text.slice(0, Math.max(at, 0)).replace(/^\[|\]$/g, "") || LOOPBACK;
    if (parseAddress(address) === undefined) throw new InvalidArgumentError("Expected [ADDRESS:]PORT.");
    return { address, port: numberWithin(1, PORT_MAX)(text.slice(at + 1)) };
  };
  return new Option(
    "--metrics <[address:]port>",
    "serve metrics for Prometheus at /metrics, on the loopback address unless told otherwise",
  ).argParser(read);
}

export function sessionsOption(): Option {
  const { min, max } = CAPACITY_BOUNDS.sessions;
  return new Option("--sessions <n>", "sessions that the table holds")
    .argParser(numberWithin(min, max))
    .default(CAPACITY_DEFAULT.sessions);
}

export function fragmentsOption(): Option {
  const { min, max } = CAPACITY_BOUNDS.fragments;
  return new Option("--fragments <n>", "frames that can wait for the rest of their datagram")
    .argParser(numberWithin(min, max))
    .default(CAPACITY_DEFAULT.fragments);
}

export function rulesOption(): Option {
  const { min, max } = CAPACITY_BOUNDS.rules;
  return new Option(
    "--rules <n>",
    "access list entries that there is room for; as many as there are",
  ).argParser(numberWithin(min, max));
}

export function lenientOption(): Option {
  return new Option("--lenient", "keep unknown commands of the configuration with a note");
}

export function jsonOption(): Option {
  return new Option("--json", "print one JSON object");
}
