// A firewall inside a program: one configuration, three packets, three verdicts.
import { Dataplane } from "twinwall";

const dataplane = await Dataplane.create({
  config: `
ip inspect name OUTBOUND udp
interface GigabitEthernet0/0
 ip address 10.0.0.1 255.255.255.0
interface GigabitEthernet0/1
 ip address 203.0.113.1 255.255.255.0
 ip access-group INBOUND in
 ip inspect OUTBOUND out
ip access-list extended INBOUND
 deny ip any any log
`,
});
const [client, server, stranger] = ["0a000005", "cb007109", "cb007142"]; // 10.0.0.5, 203.0.113.9, 203.0.113.66
const packet = (from, to, ports) => Buffer.from(`4500001c0000000040110000${from}${to}${ports}00080000`, "hex");
const options = { ethertype: 0x0800, headerChecksumOk: true }; // IPv4 without a link header
const { batch } = dataplane;
batch.add(packet(client, server, "c0000035"), dataplane.interfaceNumber("Gi0/0"), 0, options);
batch.add(packet(server, client, "0035c000"), dataplane.interfaceNumber("Gi0/1"), 0, options);
batch.add(packet(stranger, client, "0035c000"), dataplane.interfaceNumber("Gi0/1"), 0, options);

const outputs = dataplane.process(Date.now());
for (let i = 0; i < outputs; i++) console.log(batch.verdict(i), batch.reason(i));
for (const { service, state, initiator, responder } of dataplane.sessions())
  console.log(service, state, initiator.address, responder.address);
