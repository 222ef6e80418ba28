import { randomBytes } from 'node:crypto'

/** What tells the batches of this process from those of all others: to ask the system for each of them would take as long as to plan it. */
const ofProcess = randomBytes(10)
let batches = 0

/** Tells a batch in the log, in 16 bytes, and has room for the number of its attempt in another one. */
export function newToken(): Buffer {
  const token = Buffer.alloc(17)
  ofProcess.copy(token)
  batches += 1
  token.writeUIntBE(batches, 10, 6)
  return token
}
