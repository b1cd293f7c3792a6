/**
 * The place of a thread among those that want to run. Hellos that are late because something else computes are a peer that
 * is taken for dead, so the thread that makes them goes before everything: it sleeps nearly all the time. The one that
 * carries them works for as long as there are packets, so it is only preferred: the kernel's own work must go on beside it.
 */
import { readdirSync } from "node:fs";
import type { Result } from "../io.js";
import { describeErrno, type Libc } from "./libc.js";

const THIS_THREAD = 0;
/** sched(7): in turn with others of the same priority, before all that have none. */
const SCHED_RR = 2;
/** What the thread begins does not inherit it. */
const SCHED_RESET_ON_FORK = 0x40000000;
/** The lowest one: threads of the kernel that have one go before it. */
const PRIORITY = 1;
/** setpriority(2): of a thread. */
const PRIO_PROCESS = 0;
/**
 * Of the thread that carries packets, and of all others of the process. Those of V8 hold locks that the urgent ones need: if
 * they were not preferred, too, whatever else computes would keep these waiting.
 */
const NICE = { dataplane: -20, process: -10 } as const;
const THREADS = "/proc/self/task";

/** Has the calling thread run before all that are not urgent. */
export function becomeUrgent(libc: Libc): Result<void> {
  const parameters = libc.newBlock(Int32Array.BYTES_PER_ELEMENT);
  parameters.view.setInt32(0, PRIORITY, true);
  const result = libc.sched_setscheduler(THIS_THREAD, SCHED_RR | SCHED_RESET_ON_FORK, parameters.at);
  return outcome(libc, result, `RTPRIO of ${PRIORITY}`);
}

/** Has the calling thread, which carries packets, preferred to others. */
export function becomePreferred(libc: Libc): Result<void> {
  return outcome(
    libc,
    libc.setpriority(PRIO_PROCESS, THIS_THREAD, NICE.dataplane),
    `NICE of ${NICE.dataplane}`,
  );
}

/** The same for every thread of the process that there is, and for those that they begin. */
export function preferProcess(libc: Libc): Result<void> {
  for (const thread of readdirSync(THREADS)) {
    const result = libc.setpriority(PRIO_PROCESS, Number(thread), NICE.process);
    if (result !== 0) return outcome(libc, result, `NICE of ${NICE.process}`);
  }
  return { value: undefined };
}

function outcome(libc: Libc, result: number, limit: string): Result<void> {
  if (result === 0) return { value: undefined };
  const { code, text } = describeErrno(libc.errno());
  return { problem: `${text} (${code}): it needs CAP_SYS_NICE or a limit ${limit}` };
}
