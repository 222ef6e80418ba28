// Uses sessions in every way until it learns that they are destroyed, and a while longer: the processes of sessions.test.ts.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { openSessions, SessionStore } from '../../../examples/sessions/session-store.ts'
import { randomOf } from '../../concurrency/random.ts'

interface Arguments {
  readonly path: string
  readonly own: readonly string[]
  /** A token that other processes use as well, and that therefore stays as it is. */
  readonly shared: string
  readonly seed: number
}

const { path, own, shared, seed } = JSON.parse(process.argv[2]!) as Arguments
const random = randomOf(seed)

await using db = await openSessions(path)
// Two uses are so far apart that each is written.
let now = Date.now()
const store = new SessionStore(db, { now: () => (now += 60 * 60_000) })

let destroyed = false
process.once('message', () => {
  destroyed = true
})

/** Uses a session until a while after it is gone, and returns how often it still existed after it had been destroyed. */
async function use(first: string, kinds: number): Promise<number> {
  let token = first
  let uses = 0
  let back = 0
  for (let left = 50; left > 0; ) {
    const isOver = destroyed
    const kind = Math.floor(random() * kinds)
    let there: boolean
    if (kind === 0) there = await store.extend(token)
    else if (kind === 1) there = (await store.get(token)) !== null
    else if (kind === 2) there = await store.addToBasket(token, 'tea')
    else {
      const next = await store.logIn(token, 'ada')
      there = next !== null
      token = next ?? token
    }
    if (isOver) left -= 1
    if (isOver && there) back += 1
    if (there && ++uses === 20) process.send!('busy')
    await nextTurn()
  }
  return back
}

const back = await Promise.all([...own.map((token) => use(token, 4)), use(shared, 3)])
process.send!({ back })
process.disconnect()
