/**
 * Three processes in one room: each shows that it is there and writes into one document. Then one is killed, two leave.
 *
 *     node examples/presence.ts
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { addressOf } from './address/address-of.ts'
import { openRoom, whoIsHere } from './presence/room.ts'

const linesEach = 5
const path = addressOf('presence')
await using room = await openRoom(path, { destroyOnClose: true })
const { document } = room.repositories
await document.set({ lines: [] })

const program = fileURLToPath(new URL('./presence/user.ts', import.meta.url))
const users = new Map<string, ChildProcess>()
for (const name of ['ada', 'bob', 'cleo']) users.set(name, fork(program, [path, name, String(linesEach)]))
const ended = Promise.all([...users.values()].map((user) => once(user, 'exit')))

async function documentIsWritten(): Promise<void> {
  for await (const { value } of document.watch()) {
    if (value?.lines.length === users.size * linesEach) return
  }
}

/** Waits until exactly these are here, and tells of everybody who comes and leaves meanwhile. */
async function areHere(...names: string[]): Promise<void> {
  for await (const present of whoIsHere(room)) {
    console.log('Here:', present.join(', ') || 'nobody')
    if (present.join() === names.join()) return
  }
}

try {
  await Promise.all([areHere('ada', 'bob', 'cleo'), documentIsWritten()])
  const { value } = await document.get()
  console.log(`Together they wrote ${value?.lines.length} lines.`)

  console.log('The process of ada is killed, and cannot say goodbye.')
  users.get('ada')?.kill('SIGKILL')
  await areHere('bob', 'cleo')

  console.log('The others are asked to leave.')
  for (const user of users.values()) user.kill('SIGTERM')
  await areHere()
} finally {
  for (const user of users.values()) if (user.connected) user.disconnect()
  await ended
}
