/** Small files of each format, and where in them a reader may stop without missing anything. */
import * as build from "./build.js";

export interface Sample {
  name: string;
  bytes: Uint8Array;
  /** Lengths at which the file may end and is still a capture, with the packets that it then has. */
  whole: ReadonlyMap<number, number>;
}

function sample(name: string, parts: readonly (readonly [bytes: Uint8Array, packets: number])[]): Sample {
  const whole = new Map<number, number>();
  let length = 0;
  let packets = 0;
  for (const [bytes, count] of parts) {
    length += bytes.length;
    packets += count;
    whole.set(length, packets);
  }
  return { name, bytes: build.concat(...parts.map(([bytes]) => bytes)), whole };
}

function pcapSample(order: build.Order, kind: keyof typeof build.PCAP_MAGIC): Sample {
  const more = kind === "modified" ? { more: build.payload(8) } : {};
  const record = (length: number, i: number) =>
    [build.pcapRecord(order, 1_700_000_000 + i, 999 * i, build.payload(length, i), more), 1] as const;
  return sample(`pcap ${kind} ${order}`, [
    [build.pcapHeader(order, { magic: build.PCAP_MAGIC[kind] }), 0],
    ...[60, 0, 1, 33].map(record),
  ]);
}

function pcapngSection(order: build.Order): (readonly [Uint8Array, number])[] {
  const comment = build.concat(build.option(order, 1, build.text("why")), build.END_OF_OPTIONS);
  return [
    [build.sectionHeader(order, { options: build.option(order, 4, build.text("test")) }), 0],
    [build.interfaceBlock(order, 1, 40, build.option(order, 2, build.text("eth0"))), 0],
    [build.interfaceBlock(order, 101, 0, build.option(order, 9, build.u8(9)), build.END_OF_OPTIONS), 0],
    [build.enhancedPacket(order, 0, 1_700_000_000_123_456n, build.payload(29, 1)), 1],
    [
      build.enhancedPacket(order, 1, 1_700_000_000_123_456_789n, build.payload(20, 2), { options: comment }),
      1,
    ],
    ...build.otherBlocks(order).map((bytes) => [bytes, 0] as const),
    [build.simplePacket(order, 99, build.payload(40, 3)), 1],
    [build.obsoletePacket(order, 1, 5n, build.payload(3, 4), comment), 1],
    [build.enhancedPacket(order, 0, 0n, build.payload(0)), 1],
  ];
}

export const SAMPLES: readonly Sample[] = [
  ...build.ORDERS.flatMap((order) =>
    (["microseconds", "nanoseconds", "modified"] as const).map((kind) => pcapSample(order, kind)),
  ),
  ...build.ORDERS.map((order) => sample(`pcapng ${order}`, pcapngSection(order))),
  sample("pcapng of three sections", [
    ...pcapngSection("little"),
    ...pcapngSection("big"),
    ...pcapngSection("little"),
  ]),
];
