/**
 * What a service tells systemd (sd_notify(3)): that it is ready, that it is alive, that it ends. One datagram to the socket in
 * NOTIFY_SOCKET each; Node has no such sockets, so the C library sends it. Where systemd does not ask, nothing happens.
 */
import { isProblem, type Result } from "./io.js";
import { type Libc, loadLibc } from "./linux/libc.js";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** struct sockaddr_un: a u16 for the family, then the path. */
const PATH_AT = 2;
const PATH_MAX = 107;
const MICROSECONDS = 1000;

export interface Notifier {
  /** How often `alive` is due, ms; undefined: nobody watches. Half of what systemd waits for. */
  readonly aliveEveryMs: number | undefined;
  /** `status`: a line for `systemctl status`. */
  ready(status: string): void;
  alive(status?: string): void;
  stopping(): void;
  close(): void;
}

export type NotifyEnvironment = Readonly<Record<string, string | undefined>>;

/** The notifier that the environment asks for; undefined: it asks for none. */
export async function openNotifier(
  environment: NotifyEnvironment,
  processId: number,
): Promise<Result<Notifier | undefined>> {
  const path = environment.NOTIFY_SOCKET;
  if (path === undefined || path === "") return { value: undefined };
  if (!/^[/@]./.test(path) || Buffer.byteLength(path) > PATH_MAX)
    return { problem: `NOTIFY_SOCKET: "${path}" is no address` };
  const libc = await loadLibc();
  if (isProblem(libc)) return libc;
  const send = senderTo(path, libc.value);
  return isProblem(send) ? send : { value: notifier(send.value, watchdogMs(environment, processId)) };
}

interface Sender {
  send(text: string): void;
  close(): void;
}

function senderTo(path: string, libc: Libc): Result<Sender> {
  const fd = libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return { problem: `NOTIFY_SOCKET: no socket (errno ${libc.errno()})` };
  const name = Buffer.from(path);
  // "@" stands for the zero byte of an abstract address.
  if (path.startsWith("@")) name[0] = 0;
  const address = libc.newBlock(PATH_AT + name.length);
  address.view.setUint16(0, AF_UNIX, true);
  address.bytes.set(name, PATH_AT);
  return {
    value: {
      send(text) {
        const message = Buffer.from(text);
        const block = libc.newBlock(message.length);
        block.bytes.set(message);
        // A service manager that does not listen is no reason to stop: it will say so itself.
        libc.sendto(
          fd,
          block.at,
          message.length,
          MSG_DONTWAIT | MSG_NOSIGNAL,
          address.at,
          address.bytes.length,
        );
      },
      close: () => void libc.close(fd),
    },
  };
}

function notifier({ send, close }: Sender, aliveEveryMs: number | undefined): Notifier {
  const line = (status: string): string => status.replace(/[\u0000-\u001f]/g, " ");
  return {
    aliveEveryMs,
    ready: (status) => send(`READY=1\nSTATUS=${line(status)}`),
    alive: (status) => send(status === undefined ? "WATCHDOG=1" : `WATCHDOG=1\nSTATUS=${line(status)}`),
    stopping: () => send("STOPPING=1"),
    close,
  };
}

/** sd_watchdog_enabled(3): half of WATCHDOG_USEC, if it is meant for this process. */
function watchdogMs(
  { WATCHDOG_USEC: microseconds, WATCHDOG_PID: pid }: NotifyEnvironment,
  processId: number,
): number | undefined {
  if (pid !== undefined && pid !== String(processId)) return undefined;
  const value = Number(microseconds);
  return Number.isFinite(value) && value > 0 ? value / (2 * MICROSECONDS) : undefined;
}
