/** What the mutation fuzzer starts from: the examples of the project, and small captures of every format. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "fflate";
import { CaptureReader, LINK_TYPES, readBatches } from "../../src/capture/index.js";
import * as build from "../../test/capture/build.js";
import { SAMPLES } from "../../test/capture/samples.js";
import type { CaptureSample } from "./captures.js";

const EXAMPLES = new URL("../../examples/", import.meta.url);
const POLICIES = new URL("../core/policies/", import.meta.url);

function filesIn(folder: URL, ending: string): string[] {
  return readdirSync(fileURLToPath(folder))
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => fileURLToPath(new URL(name, folder)));
}

/** The texts of the configurations. */
export function configurationSamples(): string[] {
  return [...filesIn(EXAMPLES, ".cfg"), ...filesIn(POLICIES, ".cfg")].map((file) =>
    readFileSync(file, "utf8"),
  );
}

/** Larger files only take time: of each capture its beginning is used. */
const CAPTURE_BYTES_MAX = 1_048_576;

/**
 * The captures: the examples, those of the reader's tests, the packets of an example behind every link header, and
 * whatever lies below the folder `more`.
 */
export async function captureSamples(more?: string): Promise<CaptureSample[]> {
  const examples = filesIn(EXAMPLES, ".pcapng").map((name) => ({
    name,
    bytes: plain(readFileSync(name)),
    ends: [],
  }));
  const small = SAMPLES.map(({ name, bytes, whole }) => ({ name, bytes, ends: [...whole.keys()] }));
  const packets = await packetsOf(examples[0]!.bytes, FRAMES_EACH);
  const others = more === undefined ? [] : filesBelow(more);
  return [...examples, ...small, ...LINK_TYPES.map(({ number }) => behind(number, packets)), ...others];
}

function filesBelow(folder: string): CaptureSample[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((name) => /\.(pcap|pcapng|cap)(\.gz)?$/.test(name) && statSync(name).size <= CAPTURE_BYTES_MAX)
    .sort()
    .map((name) => ({ name, bytes: new Uint8Array(readFileSync(name)), ends: [] }));
}

const FRAMES_EACH = 24;
const ETHERNET_HEADER = 14;

/** Frames of real traffic. */
export async function frameSamples(): Promise<Uint8Array[]> {
  const all = await Promise.all(
    filesIn(EXAMPLES, ".pcapng").map((name) => packetsOf(plain(readFileSync(name)), FRAMES_EACH)),
  );
  return all.flat();
}

function plain(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0x1f ? gunzipSync(bytes) : bytes;
}

async function packetsOf(bytes: Uint8Array, count: number): Promise<Uint8Array[]> {
  const packets: Uint8Array[] = [];
  for await (const batch of readBatches([bytes], new CaptureReader())) {
    for (let i = 0; i < batch.count && packets.length < count; i++)
      packets.push(batch.packet(i).data.slice());
    if (packets.length === count) break;
  }
  return packets;
}

/** The link header that an IP packet has, by link type; none where it is raw. `type`: its ethertype, two bytes. */
const HEADERS: Readonly<Record<number, (type: Uint8Array) => Uint8Array>> = {
  0: (type) => build.u32(type[0] === 0x08 ? 2 : 24, "little"),
  1: (type) => build.concat(new Uint8Array(12), type),
  108: (type) => build.u32(type[0] === 0x08 ? 2 : 24, "big"),
  113: (type) => build.concat(build.u16(0, "big"), build.u16(1, "big"), new Uint8Array(10), type),
  276: (type) => build.concat(type, new Uint8Array(18)),
};

/** A capture of this link type with the IP packets of Ethernet frames. */
function behind(linkType: number, frames: readonly Uint8Array[]): CaptureSample {
  const records = frames.map((frame, i) => {
    const type = frame.subarray(ETHERNET_HEADER - 2, ETHERNET_HEADER);
    const header = HEADERS[linkType]?.(type) ?? new Uint8Array(0);
    const data = build.concat(header, frame.subarray(ETHERNET_HEADER));
    return build.pcapRecord("little", 1_700_000_000 + i, i, data);
  });
  return {
    name: `link type ${linkType}`,
    bytes: build.concat(build.pcapHeader("little", { linkType }), ...records),
    ends: [],
  };
}
