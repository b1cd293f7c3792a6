/** What `debug` tells of packets of HSRP, BFD and the association. */
import { parsePacket as parseBfd, STATE_NAMES as BFD_STATES } from "../bfd/index.js";
import { type HsrpPacket, parsePacket as parseHsrp, STATE_NAMES, transportOf } from "../hsrp/index.js";
import { formatAddress } from "../ip.js";
import { parsePacket as parseSctp } from "../sctp/index.js";
import { countedText, type OwnPacket } from "./own-frame.js";
import type { DebugLine, DebugSubject } from "./topics.js";

const subjectOf = ({ interface: name, packet: { source, destination } }: OwnPacket): DebugSubject => ({
  interfaces: [name],
  addresses: [source, destination],
});

/** `HSRP: Gi0/0 Grp 1 Hello  in  10.1.1.3 Standby pri 100 vIP 10.1.1.1` */
export function hsrpLine(own: OwnPacket, payload: Uint8Array): DebugLine {
  const { source, destination } = own.packet;
  const family = typeof source === "number" ? 4 : 6;
  const isFirst = family === 4 && destination === transportOf(1, 4).destination;
  const parsed = parseHsrp(payload, isFirst ? 1 : 2);
  const message = "value" in parsed ? parsed.value.message : undefined;
  const isRoutine = message?.kind === "interface" || message?.opcode === "hello";
  return {
    topics: isRoutine ? ["standby packets"] : ["standby packets", "standby terse"],
    subject: subjectOf(own),
    text: () => `HSRP: ${own.interface} ${hsrpText(own, parsed)}`,
  };
}

function hsrpText({ direction, packet }: OwnPacket, parsed: ReturnType<typeof parseHsrp>): string {
  const from = `${direction.padEnd(3)} ${formatAddress(packet.source)}`;
  if ("refusal" in parsed) return `malformed packet ${from} (${parsed.refusal})`;
  const { message, credential } = parsed.value;
  const proof = proofText(credential);
  if (message.kind === "interface")
    return `Advert ${from} active ${message.activeGroups} passive ${message.passiveGroups}${proof}`;
  const { group, opcode, state, priority, helloMs, holdMs, virtualAddress } = message;
  const name = opcode[0]!.toUpperCase() + opcode.slice(1);
  const address = formatAddress(virtualAddress);
  const timers = opcode === "hello" ? ` hel ${helloMs} ms hol ${holdMs} ms` : "";
  return `Grp ${group} ${name.padEnd(6)} ${from} ${STATE_NAMES[state]} pri ${priority} vIP ${address}${timers}${proof}`;
}

/** Text is a secret that everybody on the LAN can read: it is not written into a log all the same. */
function proofText(credential: HsrpPacket["credential"]): string {
  if (credential.kind === "md5") return ` MD5 key ${credential.keyId}`;
  return credential.kind === "text" ? " text authentication" : "";
}

/** `BFD-DEBUG Packet: Tx IP:10.1.1.3 ld/rd:1/2 diag:none Up P/F:0/0 mult:3 min_tx:5 min_rx:5` */
export function bfdLine(own: OwnPacket, payload: Uint8Array): DebugLine {
  return {
    topics: ["bfd packet"],
    subject: subjectOf(own),
    text: () => {
      const { source, destination } = own.packet;
      const isSent = own.direction === "out";
      const head = `BFD-DEBUG Packet: ${isSent ? "Tx" : "Rx"} IP:${formatAddress(isSent ? destination : source)} ${own.interface}`;
      const parsed = parseBfd(payload);
      if ("refusal" in parsed) return `${head} malformed (${parsed.refusal})`;
      const { state, diagnostic, isPoll, isFinal, multiplier, authentication } = parsed.value;
      const { myDiscriminator, yourDiscriminator } = parsed.value;
      const { desiredMinTxMicroseconds, requiredMinRxMicroseconds } = parsed.value;
      return (
        `${head} ld/rd:${myDiscriminator}/${yourDiscriminator} diag:${diagnostic ?? "unknown"} ${BFD_STATES[state]} ` +
        `P/F:${Number(isPoll)}/${Number(isFinal)} mult:${multiplier} tx:${desiredMinTxMicroseconds} us ` +
        `rx:${requiredMinRxMicroseconds} us${authentication === undefined ? "" : ` seq:${authentication.sequence}`}`
      );
    },
  };
}

/** Chunks of one packet that are named; the rest are counted. */
const CHUNKS_SHOWN = 8;

/** `SCTP: sent 10.3.0.2 -> 10.3.0.3, vtag 0x0a1b2c3d, 120 bytes: data sack` */
export function sctpLine(own: OwnPacket, payload: Uint8Array): DebugLine {
  return {
    topics: ["ip sctp segments"],
    subject: subjectOf(own),
    text: () => {
      const { source, destination } = own.packet;
      const way = own.direction === "in" ? "rcvd" : "sent";
      const head = `SCTP: ${way} ${formatAddress(source)} -> ${formatAddress(destination)}`;
      const packet = parseSctp(payload);
      if (typeof packet === "string") return `${head}, malformed (${packet})${countedText(own)}`;
      const { verificationTag, chunks } = packet;
      const named = chunks.slice(0, CHUNKS_SHOWN).map(({ kind }) => kind);
      const more = chunks.length > named.length ? ` and ${chunks.length - named.length} more` : "";
      const tag = verificationTag.toString(16).padStart(8, "0");
      return `${head}, vtag 0x${tag}, ${payload.length} bytes: ${named.join(" ")}${more}`;
    },
  };
}
