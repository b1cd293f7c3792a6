/** Open vSwitch's userspace datapath with ct: no kernel module, its database and sockets in a directory of its own. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { FIREWALL_CPU, MAC } from "../bed.js";
import { type Contender, missingCommands, versionOf } from "../contender.js";
import { until } from "../../../test/live/system.js";

const SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema";
/** Entries of its connection table at most, as ct allows them. */
const CT_MAX = 1 << 22;
const BRIDGE = "br0";

/** A router's work on a packet that leaves by a port. */
const leave = (from: string, to: string, port: number) =>
  `mod_dl_src:${from},mod_dl_dst:${to},dec_ttl,output:${port}`;

/** Inside (port 1) opens, outside (port 2) answers. ARP is static in this lab. */
const FLOWS = [
  "table=0,priority=10,ip actions=ct(table=1)",
  "table=0,priority=0 actions=drop",
  `table=1,priority=20,ip,in_port=1,ct_state=+trk+est actions=${leave(MAC.outside, MAC.outsideHost, 2)}`,
  `table=1,priority=20,ip,in_port=2,ct_state=+trk+est actions=${leave(MAC.inside, MAC.insideHost, 1)}`,
  `table=1,priority=10,ip,in_port=1,ct_state=+trk+new actions=ct(commit),${leave(MAC.outside, MAC.outsideHost, 2)}`,
  "table=1,priority=0 actions=drop",
];

export const ovs: Contender = {
  name: "ovs",
  receivesOn: "sender",
  policies: ["stateful"],
  noSegments: "the userspace datapath carries merged segments only with DPDK",
  missing: () =>
    missingCommands("ovsdb-server", "ovs-vswitchd", "ovs-vsctl", "ovs-ofctl", "ovs-appctl", "ovsdb-tool"),
  version: () => versionOf("ovs-vswitchd", "--version"),
  async start({ firewall }) {
    const directory = join(firewall.directory, `ovs-${performance.now().toFixed(0)}`);
    mkdirSync(directory);
    const environment = { OVS_RUNDIR: directory, OVS_LOGDIR: directory, OVS_DBDIR: directory };
    const database = join(directory, "conf.db");
    const socket = `unix:${join(directory, "db.sock")}`;
    const ask = (command: string, ...parameters: string[]) =>
      firewall.run("env", [
        ...Object.entries(environment).map(([name, value]) => `${name}=${value}`),
        command,
        ...parameters,
      ]);
    ask("ovsdb-tool", "create", database, SCHEMA);
    const server = firewall.start("ovsdb-server", [database, `--remote=p${socket}`, "--no-chdir"], {
      environment,
    });
    await until("the database of Open vSwitch", () => {
      if (server.hasEnded) throw new Error(`ovsdb-server: ${server.lines.join("\n")}`);
      try {
        ask("ovs-vsctl", `--db=${socket}`, "--no-wait", "init");
        return true;
      } catch {
        return false;
      }
    });
    const daemon = firewall.start("ovs-vswitchd", [socket, "--no-chdir"], { environment, cpu: FIREWALL_CPU });
    const bridge = ["--", "set", "bridge", BRIDGE, "datapath_type=netdev", "fail_mode=secure"];
    const ports = ["eth0", "eth1"].flatMap((device, i) => [
      ...["--", "add-port", BRIDGE, device],
      ...["--", "set", "interface", device, `ofport_request=${i + 1}`],
    ]);
    ask("ovs-vsctl", `--db=${socket}`, "--timeout=10", "add-br", BRIDGE, ...bridge, ...ports);
    const management = join(directory, `${BRIDGE}.mgmt`);
    for (const flow of FLOWS) ask("ovs-ofctl", "add-flow", management, flow);
    const control = ["-t", join(directory, `ovs-vswitchd.${daemon.pid}.ctl`)];
    ask("ovs-appctl", ...control, "dpctl/ct-set-maxconns", `netdev@ovs-netdev`, String(CT_MAX));
    return {
      note: "netdev datapath over AF_PACKET, one thread",
      stop: async () => {
        await daemon.stop();
        await server.stop();
        firewall.run("sh", [
          "-c",
          `ip link delete ${BRIDGE} 2>/dev/null; ip link delete ovs-netdev 2>/dev/null; true`,
        ]);
      },
    };
  },
};
