/**
 * How long does `twinwall replay` take for a packet, from the capture file to the report? The whole command is timed,
 * start of Node included, beside `tshark -q -z conv,tcp` on the same file where that is installed.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PcapWriter } from "../src/capture/index.js";
import { repairChecksums } from "../test/support/frames.js";
import { makeFirewall } from "./engine.js";
import { type Contender, race, ratio } from "./measure.js";
import { CONFIGURATION } from "./policy.js";
import { digits, PRODUCT, type Question, type Row, rowOf } from "./report.js";
import { OPENING, RING_FRAMES, Ring, randomFlow } from "./ring.js";
import type { Workshop } from "./testbed.js";

/** Connections of the capture, and packets: their handshakes and then data. */
const FLOWS = 16384;
const PACKETS = 1_048_576;
const NAME = `replay/${PACKETS}`;
const COMMAND = fileURLToPath(new URL("../dist/src/main.js", import.meta.url));
const TSHARK = "tshark";
const START_SECONDS = 1_700_000_000;
const LINK_ETHERNET = 1;
const ETHERNET_HEADER = 14;
/** Tshark is so slow that it takes part in a few rounds only. */
const ROUNDS = 9;
const TSHARK_ROUNDS = 1;

export const replay = (workshop: Workshop): Question => ({
  names: [NAME],
  async *measure(wanted) {
    if (wanted(NAME)) yield await measureReplay(workshop);
  },
});

async function measureReplay(workshop: Workshop): Promise<Row> {
  if (!existsSync(COMMAND)) throw new Error(`${COMMAND} is missing: run \`npm run build\``);
  const capture = join(workshop.built.directory, "bench.pcap");
  const config = join(workshop.built.directory, "bench.cfg");
  try {
    writeFileSync(config, CONFIGURATION);
    writeCapture(workshop, capture);
    const report = JSON.parse(
      execFileSync(process.execPath, [COMMAND, "replay", capture, "--config", config, "--json"], {
        encoding: "utf8",
      }),
    ) as { packets: number; verdicts: { pass: number } };
    if (report.packets !== PACKETS || report.verdicts.pass !== PACKETS)
      throw new Error(`${report.verdicts.pass} of ${report.packets} packets passed; ${PACKETS} were sent`);
    const product = command(PRODUCT, process.execPath, [COMMAND, "replay", capture, "--config", config]);
    const figures = await race([product], { rounds: ROUNDS, samples: 1 });
    const row = rowOf(NAME, figures);
    if (spawnSync(TSHARK, ["--version"]).status !== 0) return row;
    const tshark = command(TSHARK, TSHARK, ["-q", "-z", "conv,tcp", "-r", capture]);
    const both = await race([product, tshark], { rounds: TSHARK_ROUNDS, samples: 1 });
    const times = ratio(both.get(TSHARK)!, both.get(PRODUCT)!);
    return { ...row, note: `tshark takes ${digits(times)} times as long`, tshark: times };
  } finally {
    rmSync(capture, { force: true });
  }
}

/** Handshakes of all connections, then segments of any of them, a microsecond apart, with right checksums. */
function writeCapture({ core: source }: Workshop, path: string): void {
  const firewall = makeFirewall(source, FLOWS);
  const ring = new Ring(firewall.core, "tcp");
  const writer = new PcapWriter({ linkType: LINK_ETHERNET });
  const file = openSync(path, "w");
  let packets = 0;
  const write = (count: number): void => {
    for (let slot = 0; slot < count; slot++, packets++) {
      const data = ring.frame(slot);
      // Not what Ethernet's padding adds.
      const length = (data[ETHERNET_HEADER + 2]! << 8) | data[ETHERNET_HEADER + 3]!;
      repairChecksums(data.subarray(ETHERNET_HEADER, ETHERNET_HEADER + length));
      const time = {
        timeSeconds: START_SECONDS + Math.floor(packets / 1e6),
        timeNanos: (packets % 1e6) * 1000,
      };
      writer.write({ interfaceIndex: 0, ...time, data, wireLength: data.length });
    }
    writeSync(file, writer.drain());
  };
  for (const phase of OPENING.tcp) {
    ring.prepare(phase);
    ring.fill((place) => place, 0, 0, FLOWS);
    write(FLOWS);
  }
  ring.prepare("data");
  for (let place = 0; packets < PACKETS; place += RING_FRAMES) {
    ring.fill(randomFlow(FLOWS), place);
    write(Math.min(RING_FRAMES, PACKETS - packets));
  }
  closeSync(file);
}

/** A program that is run once for a sample; ns a packet. */
function command(name: string, program: string, args: readonly string[]): Contender {
  return {
    name,
    sample: async (count) =>
      Array.from({ length: count }, () => {
        const start = process.hrtime.bigint();
        execFileSync(program, args, { stdio: "ignore" });
        return Number(process.hrtime.bigint() - start) / PACKETS;
      }),
  };
}
