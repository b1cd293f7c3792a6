/** What went wrong with a file, a connection or a stream, in words. */
/** `ENOENT` and its like. */
export function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

/** What the codes that a user meets mean, in words. */
const MEANINGS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EADDRINUSE: "the address is in use",
  EADDRNOTAVAIL: "this host does not have the address",
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  EDQUOT: "the quota is used up",
  EFBIG: "the file would be too large",
  EISDIR: "this is a directory",
  EHOSTUNREACH: "no route to the host",
  EMFILE: "too many open files",
  ENAMETOOLONG: "the name is too long",
  ENETUNREACH: "the network cannot be reached",
  ENOENT: "no such file or directory",
  ENOSPC: "no space left on the device",
  ENOTDIR: "a part of the path is not a directory",
  EPERM: "not permitted",
  EPIPE: "nobody reads",
  EROFS: "the file system is read-only",
  ETIMEDOUT: "timed out",
};

/** Why something failed, in words for the user. */
export function meaningOf(error: unknown): string {
  const code = codeOf(error);
  return (code && MEANINGS[code]) || (error instanceof Error ? error.message : String(error));
}

export function meaningOfCode(code: string): string {
  return MEANINGS[code] ?? code;
}
