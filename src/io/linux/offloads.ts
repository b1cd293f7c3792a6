/**
 * Work that a device or the kernel does for a whole run of packets: merged segments and checksums (ethtool -K). A back
 * end that cannot carry merged segments must see them switched off. linux/ethtool.h.
 */
import { DeviceControl } from "./device.js";
import type { Libc } from "./libc.js";

/** How to read and write each, and what to call it before people. */
const OFFLOADS = {
  receiveChecksum: { get: 0x14, set: 0x15, text: "receive checksum offload" },
  transmitChecksum: { get: 0x16, set: 0x17, text: "transmit checksum offload" },
  tso: { get: 0x1e, set: 0x1f, text: "TCP segmentation offload (TSO)" },
  gso: { get: 0x23, set: 0x24, text: "generic segmentation offload (GSO)" },
  gro: { get: 0x2b, set: 0x2c, text: "generic receive offload (GRO)" },
} as const;
/** These are bits of the device's flags, which are read and written as one. */
const FLAGS = {
  lro: { bit: 1 << 15, text: "large receive offload (LRO)" },
  receiveVlan: { bit: 1 << 8, text: "receive VLAN offload" },
} as const;
const ETHTOOL_GFLAGS = 0x25;
const ETHTOOL_SFLAGS = 0x26;

type FlagName = keyof typeof FLAGS;
export type OffloadName = keyof typeof OFFLOADS | FlagName;
/** Which are on. */
export type Offloads = Readonly<Record<OffloadName, boolean>>;

const isFlag = (name: OffloadName): name is FlagName => name in FLAGS;

export const offloadText = (name: OffloadName): string =>
  isFlag(name) ? FLAGS[name].text : OFFLOADS[name].text;

/** Reads them. Throws OsFailure when there is no such device. */
export function readOffloads(control: DeviceControl, device: string): Offloads {
  const isOn = (get: number): boolean => (control.ethtoolGet(device, get) ?? 0) !== 0;
  const flags = control.ethtoolGet(device, ETHTOOL_GFLAGS) ?? 0;
  return {
    receiveChecksum: isOn(OFFLOADS.receiveChecksum.get),
    transmitChecksum: isOn(OFFLOADS.transmitChecksum.get),
    tso: isOn(OFFLOADS.tso.get),
    gso: isOn(OFFLOADS.gso.get),
    gro: isOn(OFFLOADS.gro.get),
    lro: (flags & FLAGS.lro.bit) !== 0,
    receiveVlan: (flags & FLAGS.receiveVlan.bit) !== 0,
  };
}

/** Switches those that are named; OsFailure when the device does not allow it. */
export function writeOffloads(control: DeviceControl, device: string, wanted: Partial<Offloads>): void {
  const present = readOffloads(control, device);
  for (const [name, isOn] of Object.entries(wanted) as [OffloadName, boolean][]) {
    if (present[name] === isOn) continue;
    if (isFlag(name)) {
      const { bit, text } = FLAGS[name];
      const flags = control.ethtoolGet(device, ETHTOOL_GFLAGS) ?? 0;
      control.ethtoolSet(device, ETHTOOL_SFLAGS, isOn ? flags | bit : flags & ~bit, text);
    } else {
      control.ethtoolSet(device, OFFLOADS[name].set, isOn ? 1 : 0, OFFLOADS[name].text);
    }
  }
}

/** Does something with a control that is closed afterwards. */
export function withControl<T>(libc: Libc, work: (control: DeviceControl) => T): T {
  const control = new DeviceControl(libc);
  try {
    return work(control);
  } finally {
    control.close();
  }
}
