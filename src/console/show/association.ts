/** `show ip sctp association`: the association with the peer and its paths. */
import { formatAddress } from "../../ip.js";
import type { EndpointView } from "../../sctp/view.js";
import { row, text } from "./layout.js";

const PATH = [4, 33, 10, 9, 9, 9, 7] as const;

export function associationText(view: EndpointView | undefined): string {
  if (view === undefined) return "No association is configured\n";
  const counted = Object.entries(view.counters).filter(([, count]) => typeof count === "number" && count > 0);
  const ms = (value: number | undefined) => (value === undefined ? "-" : value.toFixed(1));
  return text([
    `State ${view.state}, ${view.isUp ? "up" : "down"}, mode ${view.mode}, errors in a row ${view.errors}`,
    `Tags local ${view.localTag.toString(16).padStart(8, "0")}, peer ${view.peerTag.toString(16).padStart(8, "0")}`,
    `Streams out ${view.outboundStreams}, in ${view.inboundStreams}`,
    `Waiting ${view.waitingMessages} messages, ${view.queuedBytes} bytes; ${view.outstandingChunks} chunks not acknowledged`,
    `Window of the peer ${view.peerWindowBytes} bytes, own ${view.windowBytes} bytes, held ${view.heldBytes} bytes`,
    row(PATH, ["Path", "Local=>Remote", "State", "SRTT ms", "RTO ms", "cwnd", "Errors"]),
    ...view.paths.map((path) =>
      row(PATH, [
        String(path.index),
        `${formatAddress(path.local)}=>${formatAddress(path.remote)}`,
        path.state,
        ms(path.srttMs),
        ms(path.rtoMs),
        String(path.cwndBytes),
        String(path.errors),
      ]),
    ),
    ...counted.map(([name, count]) => `  ${name} ${count}`),
  ]);
}
