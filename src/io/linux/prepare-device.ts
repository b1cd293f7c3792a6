/**
 * Takes devices from the kernel's own protocols, and gives them back: addresses and routes, settings, offloads.
 *
 * What is changed stands in a file before it is changed. At an orderly end it is put back; after a kill the next start finds
 * the file, and what stands there counts, not what the killed process has left behind. A device that is not mapped any more
 * is put back then. A device that has been made anew since (another index, another boot) is another device: its record is
 * dropped.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Result } from "../io.js";
import type { DeviceControl } from "./device.js";
import { clearNetwork, type NetworkState, readNetwork, type Words, writeNetwork } from "./iproute.js";
import { attempt, type Libc, OsFailure } from "./libc.js";
import {
  type OffloadName,
  type Offloads,
  offloadText,
  readOffloads,
  withControl,
  writeOffloads,
} from "./offloads.js";

/**
 * Settings below /proc/sys/net and what they are set to: the kernel has no IPv6 there, does not forward, and answers no ARP.
 */
const SETTINGS = [
  { path: (device: string) => `ipv6/conf/${device}/disable_ipv6`, value: "1" },
  { path: (device: string) => `ipv4/conf/${device}/forwarding`, value: "0" },
  { path: (device: string) => `ipv4/conf/${device}/arp_ignore`, value: "8" },
  { path: (device: string) => `ipv4/conf/${device}/rp_filter`, value: "1" },
] as const;
const SETTINGS_ROOT = "/proc/sys/net";
const BOOT_ID = "/proc/sys/kernel/random/boot_id";
const VERSION = 1;

/** What a device was like before. */
interface DeviceRecord extends NetworkState {
  readonly index: number;
  /** By path below SETTINGS_ROOT. */
  readonly settings: Readonly<Record<string, string>>;
  readonly offloads: Partial<Offloads>;
}

interface StateFile {
  readonly version: number;
  readonly bootId: string;
  readonly devices: Readonly<Record<string, DeviceRecord>>;
}

export interface PrepareOptions {
  readonly devices: readonly string[];
  /** Where the record is kept; its folder is made. */
  readonly stateFile: string;
  /** Offloads that must be on or off for the back end that was chosen. */
  readonly offloads?: Partial<Offloads>;
}

/** Prepares the devices; what was done, in words. A problem: something was refused; what was done until then is put back. */
export function prepareDevices(libc: Libc, options: PrepareOptions): Result<string[]> {
  const done = takeDevices(libc, options);
  if ("problem" in done) restoreDevices(libc, options.stateFile);
  return done;
}

/** The same for a box that runs: what was done until a problem stays. */
export function takeDevices(libc: Libc, options: PrepareOptions): Result<string[]> {
  return attempt(() => withControl(libc, (control) => prepare(control, options)));
}

/** Puts everything back that the file records, and removes it. No file: nothing to do. What was done, in words. */
export function restoreDevices(libc: Libc, stateFile: string): Result<string[]> {
  return attempt(() =>
    withControl(libc, (control) => {
      const names: string[] = [];
      for (const [device, record] of Object.entries(readState(stateFile))) {
        if (restore(control, device, record)) names.push(`${device}: put back as it was`);
      }
      rmSync(stateFile, { force: true });
      return names;
    }),
  );
}

function prepare(control: DeviceControl, { devices, stateFile, offloads = {} }: PrepareOptions): string[] {
  const said: string[] = [];
  const before = readState(stateFile);
  const records: Record<string, DeviceRecord> = {};
  for (const device of devices) records[device] = observe(control, device, before[device], offloads);
  for (const [device, record] of Object.entries(before)) {
    if (records[device] === undefined && restore(control, device, record))
      said.push(`${device}: put back as it was, which a run that was killed had not done`);
  }
  writeState(stateFile, records);
  for (const device of devices) said.push(...change(control, device, records[device]!, offloads));
  return said;
}

/** What is to be put back: what a first run has recorded, and beside it what is there now. */
function observe(
  control: DeviceControl,
  device: string,
  recorded: DeviceRecord | undefined,
  offloads: Partial<Offloads>,
): DeviceRecord {
  const { index } = control.read(device);
  const earlier = recorded?.index === index ? recorded : undefined;
  const network = readNetwork(device);
  const present = readOffloads(control, device);
  const changed = (Object.keys(offloads) as OffloadName[]).map((name) => [name, present[name]]);
  const settings = SETTINGS.flatMap(({ path }) => {
    const value = readSetting(path(device));
    return value === undefined ? [] : [[path(device), value]];
  });
  return {
    index,
    addresses: union(earlier?.addresses ?? [], network.addresses),
    routes: union(earlier?.routes ?? [], network.routes),
    settings: { ...Object.fromEntries(settings), ...earlier?.settings },
    offloads: { ...Object.fromEntries(changed), ...earlier?.offloads },
  };
}

function union(first: readonly Words[], second: readonly Words[]): Words[] {
  const seen = new Set(first.map((words) => words.join(" ")));
  return [...first, ...second.filter((words) => !seen.has(words.join(" ")))];
}

function change(
  control: DeviceControl,
  device: string,
  record: DeviceRecord,
  offloads: Partial<Offloads>,
): string[] {
  for (const { path, value } of SETTINGS) {
    if (record.settings[path(device)] !== undefined) writeSetting(path(device), value);
  }
  clearNetwork(device);
  writeOffloads(control, device, offloads);
  const switched = (Object.entries(offloads) as [OffloadName, boolean][])
    .filter(([name, isOn]) => record.offloads[name] !== isOn)
    .map(([name, isOn]) => `${device}: ${offloadText(name)} switched ${isOn ? "on" : "off"}`);
  const taken = record.addresses.map(([address]) => `${device}: address ${address} taken from the kernel`);
  return [...taken, ...switched];
}

/** False: the device is gone, or another one. */
function restore(control: DeviceControl, device: string, record: DeviceRecord): boolean {
  const present = attempt(() => control.read(device));
  if ("problem" in present || present.value.index !== record.index) return false;
  for (const [path, value] of Object.entries(record.settings)) writeSetting(path, value);
  writeOffloads(control, device, record.offloads);
  writeNetwork(device, record);
  return true;
}

/** undefined: the kernel has no such setting, as without IPv6. */
function readSetting(path: string): string | undefined {
  try {
    return readFileSync(`${SETTINGS_ROOT}/${path}`, "utf8").trim();
  } catch {
    return undefined;
  }
}

function writeSetting(path: string, value: string): void {
  const file = `${SETTINGS_ROOT}/${path}`;
  wrapped(file, () => writeFileSync(file, value));
}

/** The records that are still about this boot. */
function readState(stateFile: string): Readonly<Record<string, DeviceRecord>> {
  let text: string;
  try {
    text = readFileSync(stateFile, "utf8");
  } catch {
    return {};
  }
  try {
    const state = JSON.parse(text) as StateFile;
    return state.version === VERSION && state.bootId === bootId() ? state.devices : {};
  } catch {
    throw new OsFailure(`${stateFile} is damaged: put the devices in order by hand and remove it`, "EINVAL");
  }
}

/** Writes it beside and moves it, so that a reader never meets half of it. */
function writeState(stateFile: string, devices: Readonly<Record<string, DeviceRecord>>): void {
  const state: StateFile = { version: VERSION, bootId: bootId(), devices };
  wrapped(stateFile, () => {
    mkdirSync(dirname(stateFile), { recursive: true });
    writeFileSync(`${stateFile}.new`, JSON.stringify(state, undefined, 2), { mode: 0o600 });
    renameSync(`${stateFile}.new`, stateFile);
  });
}

const bootId = (): string => readFileSync(BOOT_ID, "utf8").trim();

function wrapped(what: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    throw new OsFailure(
      `${what}: ${(error as Error).message}`,
      (error as NodeJS.ErrnoException).code ?? "EIO",
    );
  }
}
