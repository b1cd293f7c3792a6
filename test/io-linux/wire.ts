/**
 * A wire: what arrives by one device leaves by the other. The least that there can be between receive and transmit, in a
 * process of its own, which prints lines of JSON and ends in order when its input does.
 */
import * as L from "../../assembly/layout.js";
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6 } from "../../src/frame.js";
import { watchLinks } from "../../src/io/linux/link-monitor.js";
import { loadLibc } from "../../src/io/linux/libc.js";
import { type BackendName, OFFLOADS_NEEDED, openPacketIo } from "../../src/io/linux/open.js";
import { prepareDevices, restoreDevices } from "../../src/io/linux/prepare-device.js";
import { type Reception, receiveAlso } from "../../src/io/linux/reception.js";
import type { Result } from "../../src/io/io.js";
import type { FrameMemory } from "../../src/live/packet-io.js";
import { repairChecksums } from "../support/frames.js";

export interface WireSetup {
  readonly devices: readonly string[];
  readonly backend?: BackendName;
  readonly isTagged?: boolean;
  readonly buffers?: number;
  /** Frames of one receive. */
  readonly batch?: number;
  /** Takes the devices from the kernel first and records that here. */
  readonly stateFile?: string;
  /** Addresses to receive besides, on the first device. */
  readonly macs?: readonly string[];
  /** Opens and closes so often first, and says how many file descriptors there were before and after. */
  readonly cycles?: number;
  /** Does what the core does with DF_MAYBE_PARTIAL; costs time. */
  readonly completes?: boolean;
  /** Prints a line for each change of a link. */
  readonly watchesLinks?: boolean;
  /** Ends by itself after so long. */
  readonly seconds?: number;
}

const DESCRIPTORS_AT = 65536;
const PAGE = 65536;
const WAIT_MS = 1;
const ETHERNET_SIZE = 14;

function must<T>(result: Result<T>): T {
  if ("problem" in result) throw new Error(result.problem);
  return result.value;
}

const say = (line: unknown): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

function newMemory(buffers: number): FrameMemory {
  const buffersAt = DESCRIPTORS_AT + L.BATCH_LIMIT * L.DESC_SIZE;
  const pages = Math.ceil((buffersAt + buffers * L.BUFFER_SIZE) / PAGE);
  const bytes = new Uint8Array(new WebAssembly.Memory({ initial: pages, maximum: pages }).buffer);
  return { bytes, descriptorsAt: DESCRIPTORS_AT, buffersAt, buffers };
}

/** Puts right checksums into an IP packet without a tag. */
function complete(bytes: Uint8Array, start: number, length: number): void {
  const packet = bytes.subarray(start + ETHERNET_SIZE, start + length);
  const type = (bytes[start + ETHERNET_SIZE - 2]! << 8) | bytes[start + ETHERNET_SIZE - 1]!;
  if (type === ETHERTYPE_IPV4 || type === ETHERTYPE_IPV6) repairChecksums(packet);
}

async function main(setup: WireSetup): Promise<void> {
  const libc = must(await loadLibc());
  const memory = newMemory(setup.buffers ?? 8192);
  const { bytes } = memory;
  const { backend, isTagged } = setup;
  const options = {
    memory,
    ports: setup.devices.map((device, i) => ({ device, ingress: i + 1 })),
    ...(backend === undefined ? {} : { backend }),
    ...(isTagged === undefined ? {} : { isTagged }),
  };
  const { readdirSync } = await import("node:fs");
  const countFds = (): number => readdirSync("/proc/self/fd").length;
  let fds: number[] = [];
  if (setup.cycles !== undefined) {
    must(openPacketIo(libc, options)).io.close();
    const before = countFds();
    for (let i = 0; i < setup.cycles; i++) must(openPacketIo(libc, options)).io.close();
    fds = [before, countFds()];
  }
  const opened = must(openPacketIo(libc, options));
  const { io } = opened;
  const present = opened.devices.filter((device) => device !== undefined);
  const { stateFile } = setup;
  const offloads = OFFLOADS_NEEDED[opened.backend];
  const said =
    stateFile === undefined
      ? []
      : must(prepareDevices(libc, { devices: setup.devices, stateFile, offloads }));
  const reception: Reception | undefined =
    setup.macs === undefined ? undefined : must(receiveAlso(libc, present[0]!, setup.macs));
  const links = setup.watchesLinks === true ? must(watchLinks(libc, present)) : undefined;
  say({ backend: opened.backend, refused: opened.refused, said, fds });

  let isOver = false;
  process.stdin.on("end", () => {
    isOver = true;
  });
  process.stdin.resume();
  const end = setup.seconds === undefined ? Number.POSITIVE_INFINITY : Date.now() + setup.seconds * 1000;
  const cpuBefore = process.cpuUsage();
  let largest = 0;
  let largestMerged = 0;
  const view = new DataView(bytes.buffer);
  const batch = setup.batch ?? 64;
  while (!isOver && Date.now() < end) {
    // A turn of the event loop now and then, for the end of the input.
    for (let i = 0; i < 64; i++) {
      const count = io.receive(batch);
      for (let k = 0, at = DESCRIPTORS_AT; k < count; k++, at += L.DESC_SIZE) {
        const length = view.getUint32(at + L.D_CAPTURED, true);
        if (length > largest) largest = length;
        if (length > largestMerged && view.getUint16(at + L.D_SEGMENT, true) > 0) largestMerged = length;
        const isMaybePartial = (bytes[at + L.D_FLAGS]! & L.DF_MAYBE_PARTIAL) !== 0;
        if (setup.completes && isMaybePartial) complete(bytes, view.getUint32(at + L.D_OFFSET, true), length);
        bytes[at + L.D_FORWARD] = L.FW_SEND;
        bytes[at + L.D_PORT] = 1 - bytes[at + L.D_PORT]!;
      }
      io.transmit(count);
      if (count > 0) continue;
      for (const change of links?.poll() ?? []) say({ ...change, atMs: Date.now() });
      io.wait(WAIT_MS);
      if (i >= 8) break;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  say({ counters: io.counters(), largest, largestMerged, userMs: user / 1000, systemMs: system / 1000 });
  io.close();
  reception?.close();
  links?.close();
  if (stateFile !== undefined) must(restoreDevices(libc, stateFile));
}

await main(JSON.parse(process.argv[2]!) as WireSetup);
