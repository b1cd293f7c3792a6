/** `bfd ...` of an interface. The syntax is Cisco's; its bounds are wider, from 3 ms on. */
import { command, note, type Row } from "../command.js";

export const BFD: readonly Row[] = [
  command({
    mode: "interface",
    syntax: "bfd interval <interval:3-999> min_rx <minRx:3-999> multiplier <multiplier:3-50>",
    help: "milliseconds between BFD packets sent and received, and how many may be lost",
    example: "bfd interval 50 min_rx 50 multiplier 3",
    set: (scope, a, { at }) => {
      scope.bfd = { at, intervalMs: a.interval, minRxMs: a.minRx, multiplier: a.multiplier };
    },
    unset: (scope) => {
      scope.bfd = undefined;
    },
    show: ({ bfd }) =>
      bfd ? [`bfd interval ${bfd.intervalMs} min_rx ${bfd.minRxMs} multiplier ${bfd.multiplier}`] : [],
  }),
  command({
    mode: "interface",
    syntax: "bfd interval",
    help: "BFD of the interface as a whole",
    example: "no bfd interval",
    shown: null,
    unset: (scope) => {
      scope.bfd = undefined;
    },
  }),
  note({
    mode: "interface",
    syntax: "bfd echo",
    help: "BFD echo packets",
    example: "no bfd echo",
    note: "echo packets are not sent: BFD is asynchronous",
  }),
];
