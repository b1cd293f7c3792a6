/** Addresses and routes of a device, by `ip` of iproute2, which knows every attribute that they can have. */
import { spawnSync } from "node:child_process";
import { OsFailure } from "./libc.js";

/** An address or a route as the words that add it again. */
export type Words = readonly string[];

export interface NetworkState {
  readonly addresses: readonly Words[];
  /** With the option for their family first: -4 or -6. */
  readonly routes: readonly Words[];
}

/** An entry of `addr_info`, as far as it is used. */
interface AddressInfo {
  readonly local: string;
  readonly address?: string;
  readonly prefixlen: number;
  readonly broadcast?: string;
  readonly scope: string;
  readonly label?: string;
  readonly temporary?: boolean;
  readonly noprefixroute?: boolean;
  readonly nodad?: boolean;
  readonly valid_life_time: number;
  readonly preferred_life_time: number;
}

const FAMILIES = ["-4", "-6"] as const;
const FOREVER = 0xffffffff;
/** Routes that the kernel makes itself, with an address or an advertisement. */
const MADE_BY_KERNEL = /\bproto (kernel|ra)\b|^(local|broadcast|anycast|multicast|unreachable) /;
/** What is shown of the state of a route, and not a word to add one with. */
const STATE_WORDS: ReadonlySet<string> = new Set(["linkdown", "dead", "offload", "trap"]);

/** Runs `ip`; what it writes. Throws OsFailure. */
export function ip(...words: string[]): string {
  const { status, stdout, stderr, error } = spawnSync("ip", words, { encoding: "utf8" });
  const what = `ip ${words.join(" ")}`;
  if (error !== undefined)
    throw new OsFailure(`${what}: the live mode needs ip of iproute2 (${error.message})`, "ENOENT");
  if (status !== 0) throw new OsFailure(`${what}: ${stderr.trim()}`, "EIO");
  return stdout;
}

export function readNetwork(device: string): NetworkState {
  const [link] = JSON.parse(ip("-j", "addr", "show", "dev", device)) as { addr_info?: AddressInfo[] }[];
  const addresses = (link?.addr_info ?? []).filter(({ temporary }) => temporary !== true).map(addressWords);
  const routes = FAMILIES.flatMap((family) =>
    ip(family, "route", "show", "table", "all", "dev", device)
      .split("\n")
      .filter((line) => line.trim() !== "" && !MADE_BY_KERNEL.test(line))
      .map((line) => [family, ...line.split(/\s+/).filter((word) => word !== "" && !STATE_WORDS.has(word))]),
  );
  return { addresses, routes };
}

function addressWords(info: AddressInfo): Words {
  const { local, address, prefixlen, broadcast, scope, label } = info;
  const lifetime = (seconds: number): string => (seconds === FOREVER ? "forever" : String(seconds));
  return [
    ...(address === undefined ? [`${local}/${prefixlen}`] : [local, "peer", `${address}/${prefixlen}`]),
    ...(broadcast === undefined ? [] : ["broadcast", broadcast]),
    ...(label === undefined ? [] : ["label", label]),
    ...["scope", scope],
    ...["valid_lft", lifetime(info.valid_life_time), "preferred_lft", lifetime(info.preferred_life_time)],
    ...(info.noprefixroute === true ? ["noprefixroute"] : []),
    ...(info.nodad === true ? ["nodad"] : []),
  ];
}

/** Takes all addresses and routes away. */
export function clearNetwork(device: string): void {
  ip("addr", "flush", "dev", device);
  for (const family of FAMILIES) ip(family, "route", "flush", "table", "all", "dev", device);
}

/** Adds them again; those that are there already are no matter. */
export function writeNetwork(device: string, { addresses, routes }: NetworkState): void {
  for (const words of addresses) ip("addr", "replace", ...words, "dev", device);
  for (const [family, ...words] of routes) ip(family!, "route", "replace", ...words, "dev", device);
}
