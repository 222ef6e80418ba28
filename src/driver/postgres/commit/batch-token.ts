import { randomBytes } from 'node:crypto'

/** Identifies this process. Random bytes for each batch would take as long as planning it. */
const ofProcess = randomBytes(10)
let batches = 0

/** Identifies a batch in the log by 16 bytes; one more has room for the number of its attempt. */
export function newToken(): Buffer {
  const token = Buffer.alloc(17)
  ofProcess.copy(token)
  batches += 1
  token.writeUIntBE(batches, 10, 6)
  return token
}
