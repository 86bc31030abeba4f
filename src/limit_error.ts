import { KprovError } from "./kprov_error.ts";

/** Data that is larger than is supported; the message names the limit. */
export class LimitError extends KprovError {
  /**
   * Makes an error.
   *
   * @param message One line, without a final period
   */
  constructor(message: string) {
    super("data", message);
  }
}
