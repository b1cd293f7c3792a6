/** What Wireshark makes of frames. */
import { PcapngWriter } from "../../src/capture/index.js";
import { run, scratchFolder } from "../capture/tools.js";

/** The fields of each frame, in the order given; checksums are verified. */
export function tshark(frames: readonly Uint8Array[], fields: readonly string[]): string[][] {
  const writer = new PcapngWriter();
  writer.addInterface({ linkType: 1, snapLength: 0 });
  frames.forEach((data, i) => {
    writer.write({ interfaceIndex: 0, timeSeconds: i, timeNanos: 0, data, wireLength: data.length });
  });
  const folder = scratchFolder();
  const path = folder.write("router.pcapng", writer.drain());
  const checks = ["ip", "udp"].flatMap((name) => ["-o", `${name}.check_checksum:TRUE`]);
  const { stdout } = run(
    "tshark",
    "-r",
    path,
    ...checks,
    "-T",
    "fields",
    ...fields.flatMap((name) => ["-e", name]),
  );
  folder.remove();
  return stdout
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => line.split("\t"));
}
