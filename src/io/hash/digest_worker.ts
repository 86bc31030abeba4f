/**
 * The worker that digests files, as a module: a compiled binary starts it. Everywhere else the same
 * code is started from its text.
 *
 * @module
 */

import { answerTask } from "./digest_share.js";

Object.assign(globalThis, { onmessage: answerTask });
