/**
 * Packets per second that each back end carries from one veth pair to another when nothing is done to them, beside kernel
 * forwarding without and with connection tracking (nftables), in turn on the same flood: npx tsx bench/live/io.ts
 *
 * Needs root and cc. One processor floods, one forwards; only ratios within one run count.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BACKENDS, type BackendName } from "../../src/io/linux/open.js";
import { Lab, run, type Wire } from "../../test/io-linux/lab.js";

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const SECONDS = Number(process.env.SECONDS ?? 1);
const FLOWS = "1";
const SOURCE = "10.9.0.1";
const DESTINATION = "10.9.1.2";

const RULES = `table inet bench { chain forward { type filter hook forward priority 0; policy drop;
  ct state established,related accept; iifname "in0" accept; }; }`;

const SINK = `table netdev bench { chain sink { type filter hook ingress device "eth0" priority 0; policy drop; }; }`;

type Subject = BackendName | "kernel" | "conntrack";
const SUBJECTS: readonly Subject[] = ["kernel", "conntrack", ...BACKENDS];

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "twinwall-"));
  const flood = join(folder, "flood");
  run("cc", "-O2", "-o", flood, join(import.meta.dirname, "flood.c"));
  const lab = new Lab();
  try {
    const rates = new Map<Subject, number[]>(SUBJECTS.map((subject) => [subject, []]));
    prepare(lab);
    for (let round = 0; round < ROUNDS; round++) {
      for (const subject of SUBJECTS) rates.get(subject)!.push(await measure(lab, subject, flood));
    }
    const kernel = median(rates.get("conntrack")!);
    console.log("subject        thousand packets/s: median (least to most)    of nftables with conntrack");
    for (const [subject, all] of rates) {
      const [middle, least, most] = [median(all), Math.min(...all), Math.max(...all)].map((r) =>
        Math.round(r / 1000),
      );
      console.log(
        `${subject.padEnd(14)} ${middle} (${least} to ${most})`.padEnd(52),
        (median(all) / kernel).toFixed(2),
      );
    }
  } finally {
    lab.close();
    rmSync(folder, { recursive: true });
  }
}

/** The same end for all: what arrives outside is dropped at once. Routes for the kernel's turns. */
function prepare(lab: Lab): void {
  lab.run("outside", "nft", SINK);
  lab.run("box", "ip", "addr", "add", "10.9.0.3/24", "dev", "in0");
  lab.run("box", "ip", "addr", "add", "10.9.1.1/24", "dev", "out0");
  lab.run("box", "ip", "neigh", "add", DESTINATION, "lladdr", mac(lab, "outside", "eth0"), "dev", "out0");
  lab.run("box", "sysctl", "-q", "-w", "net.ipv4.ip_forward=1");
}

function mac(lab: Lab, place: "inside" | "box" | "outside", device: string): string {
  const [link] = JSON.parse(lab.run(place, "ip", "-j", "link", "show", device)) as { address: string }[];
  return link!.address;
}

/** Frames that arrive outside, each second. */
async function measure(lab: Lab, subject: Subject, flood: string): Promise<number> {
  let wire: Wire | undefined;
  if (subject === "conntrack") lab.run("box", "nft", RULES);
  else if (subject !== "kernel") wire = await lab.wire({ backend: subject, completes: false });
  const words = ["eth0", mac(lab, "box", "in0"), SOURCE, DESTINATION, FLOWS];
  const send = (seconds: number): void => {
    const { status } = spawnSync("ip", [
      "netns",
      "exec",
      lab.name("inside"),
      flood,
      ...words,
      String(seconds),
    ]);
    if (status !== 0) throw new Error("the flood did not run");
  };
  send(0.3);
  const before = lab.statistics("outside", "eth0").rxPackets;
  send(SECONDS);
  const after = lab.statistics("outside", "eth0").rxPackets;
  if (process.env.DETAILS === "1" && wire !== undefined)
    console.log(subject, JSON.stringify(await wire.stop()));
  else await wire?.kill();
  if (subject === "conntrack") lab.run("box", "nft", "delete table inet bench");
  return (after - before) / SECONDS;
}

await main();
