/** Text from outside as it may be shown on a terminal. */

/** Control characters and direction marks, which a name in a file must not bring to a terminal. */
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** The text with tabs as spaces, and everything else that could drive a terminal as `?`. */
export function printable(text: string): string {
  return text.replace(/\t/g, " ").replace(UNPRINTABLE, "?");
}
