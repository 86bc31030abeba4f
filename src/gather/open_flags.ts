import { constants } from "node:fs";

/**
 * How a file is opened after a look at it, with Node's call, because Deno's own takes no flags:
 * O_NOFOLLOW refuses a link that took the file's place in between, O_NONBLOCK keeps a FIFO that did
 * from hanging the open. Windows has neither. Deno may resolve a link itself before it opens it, so
 * whoever must not be led astray looks at the path once more.
 */
export const OPEN_FLAGS: number = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) |
  (constants.O_NONBLOCK ?? 0);
