/** Real captures, where they are present beside the project: everything that Wireshark counted in them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { CaptureReader, ETHERTYPE_UNKNOWN, ethertypeOf, locate } from "../../src/capture/index.js";

const CORPUS = fileURLToPath(new URL("../../../shared/pcaps/", import.meta.url));

interface Truth {
  capinfos: { "Number of packets": number; "Number of interfaces in file": number; exit: number };
  totals: {
    packets: number;
    bytes: number;
    captured_bytes: number;
    first_time: number | null;
    last_time: number | null;
    stacks: Record<string, number>;
  };
}

interface Counted {
  packets: number;
  bytes: number;
  capturedBytes: number;
  /** The smallest and the largest time. */
  earliest: number | null;
  latest: number | null;
  /** Packets of the link types that we read the header of, by what is inside. */
  network: Record<string, number>;
}

const NETWORK_NAMES: ReadonlyMap<number, string> = new Map([
  [0x0800, "ip"],
  [0x86dd, "ipv6"],
  [0x0806, "arp"],
  // Reverse ARP, for which Wireshark has no name of its own.
  [0x8035, "arp"],
]);

function count(bytes: Uint8Array, pieceLength: number): { counted: Counted; reader: CaptureReader } {
  const reader = new CaptureReader();
  const counted: Counted = {
    packets: 0,
    bytes: 0,
    capturedBytes: 0,
    earliest: null,
    latest: null,
    network: {},
  };
  const take = () => {
    for (let batch = reader.next(); batch !== undefined; batch = reader.next()) {
      counted.packets += batch.count;
      for (let i = 0; i < batch.count; i++) {
        counted.bytes += batch.wireLength[i]!;
        counted.capturedBytes += batch.capturedLength[i]!;
        const time = Number(`${batch.timeSeconds[i]}.${String(batch.timeNanos[i]).padStart(9, "0")}`);
        counted.earliest = Math.min(time, counted.earliest ?? time);
        counted.latest = Math.max(time, counted.latest ?? time);
        const { link } = reader.interfaces[batch.interfaceIndex[i]!]!;
        if (link === undefined || link.name === "Ethernet") continue;
        const ethertype = ethertypeOf(locate(link, batch.bytes, batch.offset[i]!, batch.capturedLength[i]!));
        const name = ethertype === ETHERTYPE_UNKNOWN ? "other" : (NETWORK_NAMES.get(ethertype) ?? "other");
        counted.network[name] = (counted.network[name] ?? 0) + 1;
      }
    }
  };
  for (let at = 0; at < bytes.length; at += pieceLength) {
    reader.push(bytes.subarray(at, at + pieceLength));
    take();
  }
  reader.end();
  take();
  return { counted, reader };
}

/** Names of our link headers in Wireshark's stacks. */
const LINK_HEADERS: ReadonlySet<string> = new Set(["raw", "null", "sll", "ethertype"]);

/** What the stacks say about the packets that `network` counts. */
function networkOf(stacks: Record<string, number>): Record<string, number> {
  const network: Record<string, number> = {};
  for (const [stack, packets] of Object.entries(stacks)) {
    const layers = stack.split(":");
    const name = layers.find((layer) => !LINK_HEADERS.has(layer)) ?? "";
    const known = [...NETWORK_NAMES.values()].includes(name) ? name : "other";
    network[known] = (network[known] ?? 0) + packets;
  }
  return network;
}

const files = existsSync(CORPUS)
  ? readdirSync(CORPUS, { recursive: true, encoding: "utf8" }).filter((name) => /\.pcap(ng)?$/.test(name))
  : [];

/**
 * Fractions of a second that are seconds long: we count them into the seconds, Wireshark prints them as they
 * are.
 */
const FRACTION_OVERFLOWS = /timestamp_invalid_(micro|nano)\.pcap$/;

/**
 * The link type says IPv6 and the packet says version 4: the core is to see and refuse it; Wireshark stops
 * before.
 */
const VERSION_CONTRADICTS = /LINKTYPE_IPV6_invalid\.pcap$/;

describe.skipIf(files.length === 0)("real captures", () => {
  test.each(files)("%s", (name) => {
    const bytes = readFileSync(CORPUS + name);
    const { capinfos, totals } = JSON.parse(readFileSync(`${CORPUS}${name}.truth.json`, "utf8")) as Truth;
    const { counted, reader } = count(bytes, 65_536);
    expect(counted.packets).toBe(capinfos["Number of packets"]);
    expect(reader.interfaces).toHaveLength(capinfos["Number of interfaces in file"]);
    expect(reader.error === undefined).toBe(capinfos.exit === 0);
    // Unlike capinfos, tshark also lists blocks that hold no packet; its totals are then not those of packets.
    if (totals.packets === counted.packets) {
      expect([counted.bytes, counted.capturedBytes]).toEqual([totals.bytes, totals.captured_bytes]);
      if (!FRACTION_OVERFLOWS.test(name)) {
        expect([counted.earliest, counted.latest]).toEqual([totals.first_time, totals.last_time]);
      }
    }
    const headersRead = reader.interfaces.every(({ link }) => link !== undefined && link.name !== "Ethernet");
    if (headersRead && !VERSION_CONTRADICTS.test(name)) {
      expect(counted.network).toEqual(networkOf(totals.stacks));
    }
    expect(count(gzipSync(bytes), 4096).counted).toEqual(counted);
  });
});
