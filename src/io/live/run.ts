/**
 * `twinwall run`: from the devices of this machine to a box on the wire, until somebody ends it. Only the order of things
 * stands here: look at the devices, take them from the kernel, start the box and what belongs to it, and in the end the
 * same backwards.
 */
import type { Config } from "../../config/model.js";
import type { Capacity } from "../../core.js";
import { type Mapping, planMapping, type Attachment } from "../../live/mapping.js";
import type { ReloadMode } from "../../redundancy/index.js";
import { isProblem, type Result } from "../io.js";
import { type Device, readDevice } from "../linux/device.js";
import { type Libc, loadLibc } from "../linux/libc.js";
import { type BackendName, OFFLOADS_NEEDED } from "../linux/open.js";
import { preferProcess } from "../linux/priority.js";
import { prepareDevices, restoreDevices, takeDevices } from "../linux/prepare-device.js";
import { readCoreFile } from "../wasm.js";
import type { DeviceKeeper } from "./devices.js";
import { LiveBox, type LiveReport } from "./live-box.js";

export interface RunOptions {
  readonly config: Config;
  readonly attachments: readonly Attachment[];
  readonly capacity: Partial<Capacity>;
  readonly backend?: BackendName | undefined;
  readonly reloadMode?: ReloadMode | undefined;
  /** Path of the console's socket; beside it stands the record of what was changed on the devices. */
  readonly socket: string;
}

/** Why the process ends. */
export type Ending =
  /** Somebody wanted it to. */
  | { readonly kind: "stopped" }
  /** `reload-mode exit`, or a role given up with nothing to go on with: to be started again. */
  | { readonly kind: "restart" }
  /** The box runs, but not what belongs to it. */
  | { readonly kind: "unable"; readonly problem: string }
  | { readonly kind: "died"; readonly problem: string; readonly stack?: string | undefined };

/** Devices that are there and fit the configuration. */
export interface Found {
  readonly libc: Libc;
  readonly mapping: Mapping;
  /** By port number. */
  readonly devices: readonly Device[];
}

/** Looks at the devices; changes nothing. The problems are for the user. */
export async function findDevices(
  config: Config,
  attachments: readonly Attachment[],
): Promise<Found | { readonly problems: readonly string[] }> {
  const mapping = planMapping(config, attachments);
  if ("problems" in mapping) return mapping;
  const libc = await loadLibc();
  if (isProblem(libc)) return { problems: [libc.problem] };
  const devices: Device[] = [];
  const problems: string[] = [];
  for (const { device } of mapping.ports) {
    const found = readDevice(libc.value, device);
    if (isProblem(found)) problems.push(found.problem);
    else devices.push(found.value);
  }
  return problems.length > 0 ? { problems } : { libc: libc.value, mapping, devices };
}

const stateFileOf = (socket: string): string => `${socket.replace(/\.sock$/, "")}.devices.json`;

/** A box that runs, and the devices that it has taken. */
export interface Running {
  readonly box: LiveBox;
  /** What was changed on the devices, in words. */
  readonly changes: readonly string[];
  /** Resolves when the box is to end. */
  readonly ending: Promise<Ending>;
  /** Ends it, and gives the devices back. */
  close(): Promise<void>;
}

/** Keeps the devices of these names, by port number. */
function deviceKeeper(libc: Libc, names: readonly string[], stateFile: string): DeviceKeeper {
  const present = (): (Device | undefined)[] =>
    names.map((name) => {
      const device = readDevice(libc, name);
      return isProblem(device) || !device.value.isUp ? undefined : device.value;
    });
  const namesOf = (devices: readonly (Device | undefined)[]): string[] =>
    devices.flatMap((device) => device?.name ?? []);
  return {
    take: () => {
      const devices = present();
      const taken = takeDevices(libc, { devices: namesOf(devices), stateFile });
      return isProblem(taken) ? taken : { value: devices };
    },
    fit: (backend) =>
      takeDevices(libc, { devices: namesOf(present()), stateFile, offloads: OFFLOADS_NEEDED[backend] }),
  };
}

/** Takes the devices and starts the box. Throws ConfigError. */
export async function startRun(
  options: RunOptions,
  { libc, mapping, devices }: Found,
  software: string,
  onReport: (report: LiveReport) => void,
  onHangUp: () => void,
): Promise<Result<Running>> {
  const stateFile = stateFileOf(options.socket);
  const names = mapping.ports.map(({ device }) => device);
  const prepared = prepareDevices(libc, { devices: names, stateFile });
  if (isProblem(prepared)) return prepared;
  let end: (ending: Ending) => void = () => {};
  const ending = new Promise<Ending>((resolve) => {
    end = resolve;
  });
  preferProcess(libc); // that it cannot be is said of each of the threads to which it matters
  const started = await LiveBox.start({
    config: options.config,
    mapping,
    devices,
    keeper: deviceKeeper(libc, names, stateFile),
    module: new WebAssembly.Module(new Uint8Array(await readCoreFile())),
    capacity: options.capacity,
    backend: options.backend,
    software,
    reloadMode: options.reloadMode,
    onReport: (report) => {
      onReport(report);
      if (report.kind === "died") end(report);
      else if (report.kind === "control" && report.report.kind === "exit") end({ kind: "restart" });
    },
  }).catch((error: unknown) => {
    restoreDevices(libc, stateFile);
    throw error;
  });
  if (isProblem(started)) {
    restoreDevices(libc, stateFile);
    return started;
  }
  const box = started.value;
  const close = async (): Promise<void> => {
    await box.stop();
    restoreDevices(libc, stateFile);
  };
  const offloads = OFFLOADS_NEEDED[box.opened.backend];
  const switched = prepareDevices(libc, { devices: names, stateFile, offloads });
  if (isProblem(switched)) {
    await close();
    return switched;
  }
  process.on("SIGHUP", onHangUp);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => end({ kind: "stopped" }));
  return { value: { box, changes: [...prepared.value, ...switched.value], ending, close } };
}
