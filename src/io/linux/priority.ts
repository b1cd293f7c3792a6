/**
 * The place of a thread among those that want to run. Hellos that are late because something else computes are a peer that
 * is taken for dead, so the thread that sends them goes first: it sleeps nearly all the time.
 */
import type { Result } from "../io.js";
import { describeErrno, type Libc } from "./libc.js";

const THIS_THREAD = 0;
/** sched(7): in turn with others of the same priority, before all that have none. */
const SCHED_RR = 2;
/** What the thread begins does not inherit it. */
const SCHED_RESET_ON_FORK = 0x40000000;
/** The lowest one: threads of the kernel that have one go before it. */
const PRIORITY = 1;

/** Has the calling thread run before all that are not urgent. */
export function becomeUrgent(libc: Libc): Result<void> {
  const parameters = libc.newBlock(Int32Array.BYTES_PER_ELEMENT);
  parameters.view.setInt32(0, PRIORITY, true);
  const policy = SCHED_RR | SCHED_RESET_ON_FORK;
  if (libc.sched_setscheduler(THIS_THREAD, policy, parameters.at) === 0) return { value: undefined };
  const { code, text } = describeErrno(libc.errno());
  return {
    problem: `no real-time priority: ${text} (${code}); it needs CAP_SYS_NICE or a limit RTPRIO of ${PRIORITY}`,
  };
}
