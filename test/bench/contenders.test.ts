import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { byHand } from '../../bench/contenders/by-hand.ts'
import type { Contender, Store } from '../../bench/contenders/contender.ts'
import { drizzleOrm } from '../../bench/contenders/drizzle.ts'
import { fileTasks, storeTasks } from '../../bench/contenders/store-tasks.ts'
import { keyValue, repository } from '../../bench/contenders/valkeyrie.ts'
import type { Racer, Task } from '../../bench/harness/race.ts'
import { temporaryFolder } from '../../bench/harness/temporary-folder.ts'
import { userSizes } from '../../bench/values/user.ts'
import { Users } from '../../bench/values/users.ts'

const root = mkdtempSync(join(tmpdir(), 'valkeyrie-test-'))
afterAll(() => rmSync(root, { recursive: true }))

const users = new Users({ ...userSizes[1]!, stored: 300 })

async function openLoaded(contender: Contender): Promise<{ store: Store; dir: string }> {
  const dir = mkdtempSync(join(root, 'contender-'))
  const store = await contender.open(dir, users, 'normal')
  await store.load(users.entries(users.size.stored))
  return { store, dir }
}

async function turn(task: Task, n: number): Promise<void> {
  const { run, verify } = await task(n)
  await run()
  await verify()
}

/** Twice each, so that what one turn leaves is what the next one finds. */
async function everyTask(tasks: Racer): Promise<string[]> {
  const done: string[] = []
  for (const [name, task] of Object.entries(tasks)) {
    if (task === undefined) continue
    const n = name === 'list' ? users.size.stored : 101
    for (let i = 0; i < 2; i++) await turn(task, n)
    done.push(name)
  }
  return done
}

describe.each([byHand, keyValue, repository, drizzleOrm])('$name', (contender) => {
  it('answers every task that it has as it should', async () => {
    const { store } = await openLoaded(contender)
    const done = await everyTask(storeTasks(store, users))
    expect(done.includes('watch by 100')).toBe(contender === keyValue || contender === repository)
    expect(done.length).toBeGreaterThanOrEqual(7)
    await store.close()
  })

  it('opens its file again, and loads others', async () => {
    using temporary = temporaryFolder()
    const { store, dir } = await openLoaded(contender)
    await store.close()
    const tasks = fileTasks(contender, users, 'normal', dir, temporary)
    await turn(tasks.open, 1)
    await turn(tasks['bulk load'], 2_001)
  })
})

/** Ways of being wrong that no figure would show. */
const faults: readonly (readonly [task: string, spoil: (store: Store) => Partial<Store>])[] = [
  ['get', (store) => ({ get: () => store.get(users.storedIds[0]!) })],
  ['getMany of 100', (store) => ({ getMany: (ids) => store.getMany!(ids.toReversed().slice(1)) })],
  ['list', (store) => ({ list: () => [...(store.list() as Iterable<unknown>)].slice(1) })],
  ['unit of work', (store) => ({ swapAges: (a) => store.userOf(store.get(a))!.age })],
  ['set', () => ({ set() {} })],
  ['sets at once', (store) => ({ setsAtOnce: (entries) => store.setsAtOnce!(entries.slice(1)) })],
  ['atomic of 500', (store) => ({ atomic: (entries) => store.atomic!(entries.slice(0, -1)) })],
]

it.each(faults)('a wrong answer to “%s” is seen', async (task, spoil) => {
  const { store } = await openLoaded(byHand)
  const tasks = storeTasks({ ...store, ...spoil(store) }, users)
  await expect(turn(tasks[task]!, task === 'list' ? users.size.stored : 101)).rejects.toThrow()
  await store.close()
})
