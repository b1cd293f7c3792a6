/** Chooses how frames come and go on this machine, and says why. */
import type { FrameMemory, PacketIo, Port } from "../../live/packet-io.js";
import type { Result } from "../io.js";
import { AfPacket } from "./afpacket.js";
import { AfXdp, unfitForXdp, type XdpMode } from "./afxdp.js";
import { type Device, readDevice } from "./device.js";
import { attempt, type Libc, whileBusy } from "./libc.js";
import { type Offloads, readOffloads, withControl } from "./offloads.js";

export type BackendName = "xdp-driver" | "packet" | "xdp-generic";

/**
 * The order in which they are tried: AF_XDP in driver mode takes the least time for a frame; generic mode cannot carry the
 * merged segments that senders on this machine hand over, so that it is the last. See `whyNotFirst`.
 */
export const BACKENDS: readonly BackendName[] = ["xdp-driver", "packet", "xdp-generic"];

/**
 * Offloads that must be off for a back end. LRO forgets where segments ended. What is merged does not fit into a buffer of
 * AF_XDP, and a tag that the device has taken off is not seen there; drivers merge only after XDP in driver mode.
 */
export const OFFLOADS_NEEDED: Readonly<Record<BackendName, Partial<Offloads>>> = {
  "xdp-driver": { lro: false, receiveVlan: false },
  packet: { lro: false },
  "xdp-generic": { lro: false, receiveVlan: false, gro: false },
};

export interface OpenOptions {
  readonly memory: FrameMemory;
  /** Each device once; the place is its number. */
  readonly ports: readonly Port[];
  /** Frames with VLAN tags are expected. */
  readonly isTagged?: boolean;
  /** The only back end that will do; without it the first that works. */
  readonly backend?: BackendName;
  /** A device that is not there, or not set up, is left out: nothing arrives by its port, and what is sent by it is refused. */
  readonly isPartial?: boolean;
}

export interface Opened {
  readonly io: PacketIo;
  /** By port number; undefined: left out. */
  readonly devices: readonly (Device | undefined)[];
  readonly backend: BackendName;
  /** Those that were tried before, and why they are not it. */
  readonly refused: readonly { readonly backend: BackendName; readonly why: string }[];
}

/** Opens all ports by one back end. A problem: a device is not there, or no back end works, with the reason of each. */
export function openPacketIo(
  libc: Libc,
  { memory, ports, backend, isTagged = false, isPartial = false }: OpenOptions,
): Result<Opened> {
  const devices: (Device | undefined)[] = [];
  for (const { device } of ports) {
    const found = readDevice(libc, device);
    if ("value" in found && (found.value.isUp || !isPartial)) devices.push(found.value);
    else if (isPartial) devices.push(undefined);
    else if ("problem" in found) return found;
  }
  const present = devices.filter((device) => device !== undefined);
  const refused: { backend: BackendName; why: string }[] = [];
  const why = backend === undefined ? whyNotFirst(libc, present, isTagged) : undefined;
  if (why !== undefined) refused.push({ backend: BACKENDS[0]!, why });
  // What is not to be the first is tried all the same, when the next one does not work.
  const order = why === undefined ? BACKENDS : [BACKENDS[1]!, BACKENDS[0]!, ...BACKENDS.slice(2)];
  for (const name of backend === undefined ? order : [backend]) {
    const opened = open(libc, name, memory, ports, devices, isTagged);
    if ("value" in opened) return { value: { io: opened.value, devices, backend: name, refused } };
    refused.push({ backend: name, why: opened.problem });
  }
  return { problem: refused.map(({ backend, why }) => `${backend}: ${why}`).join("; ") };
}

/**
 * Why AF_XDP in driver mode is not the best for these devices; undefined: it is. Between veth pairs TCP goes in segments of
 * up to 64 KiB that nobody cuts up. A program for XDP has the sender cut them, and the box sees each packet: a quarter of
 * what nftables carries, where AF_PACKET carries nine tenths (bench/live, tcp/segments-64k). Of small datagrams AF_XDP does
 * carry more, but only who has switched merging off is after those.
 */
function whyNotFirst(libc: Libc, devices: readonly Device[], isTagged: boolean): string | undefined {
  if (devices.some((device) => unfitForXdp(device, isTagged) !== undefined)) return undefined;
  const isMerging = (device: Device): boolean =>
    device.driver === "veth" && withControl(libc, (control) => readOffloads(control, device.name).tso);
  const found = devices.find(isMerging);
  return found && `${found.name} is a veth device with TCP segmentation offload, which XDP would end`;
}

function open(
  libc: Libc,
  backend: BackendName,
  memory: FrameMemory,
  ports: readonly Port[],
  devices: readonly (Device | undefined)[],
  isTagged: boolean,
): Result<PacketIo> {
  if (backend === "packet") return attempt(() => new AfPacket(libc, memory, ports, devices));
  const unfit = devices
    .map((device) => device && unfitForXdp(device, isTagged))
    .find((why) => why !== undefined);
  if (unfit !== undefined) return { problem: unfit };
  const mode: XdpMode = backend === "xdp-driver" ? "driver" : "generic";
  return attempt(() => whileBusy(() => new AfXdp(libc, memory, ports, devices, mode)));
}
