import { once } from 'node:events'
import Database from 'better-sqlite3'
import { KvU64, Valkeyrie } from 'valkeyrie'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { extent } from '../extent.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { start } from './child.ts'

const path = temporaryFolder()

function assertSound(file: string): void {
  const raw = new Database(file)
  expect(raw.pragma('integrity_check', { simple: true })).toBe('ok')
  raw.close()
}

test('what was acknowledged survives kill -9, and what commits together is there together', async () => {
  const file = path()
  const acknowledged: string[] = []
  for (let round = 0; round < 4; round++) {
    const child = start('write-until-killed', file, String(round))
    const most = 20 + Math.floor(Math.random() * 800)
    while (child.lines.length < most) await once(child.process.stdout!, 'data')
    child.process.kill('SIGKILL')
    expect(await child.ended).toBeNull()
    acknowledged.push(...child.lines)

    await using db = await Valkeyrie.open(file)
    const keysBelow = async (prefix: string) =>
      (await Array.fromAsync(db.list({ prefix: [prefix] }))).map(({ key }) => key[1])
    const [single, left, right] = [
      await keysBelow('single'),
      await keysBelow('left'),
      await keysBelow('right'),
    ]
    const stored = new Set([...single.map((id) => `single ${id}`), ...left.map((id) => `pair ${id}`)])
    expect(acknowledged.filter((line) => !stored.has(line))).toStrictEqual([])
    expect(left).toStrictEqual(right)
    expect((await db.get(['commits'])).value).toStrictEqual(new KvU64(BigInt(left.length)))
    assertSound(file)
  }
})

test('4 processes may open the same new file at once', async () => {
  for (let round = extent('new files', 2, 5); round > 0; round--) {
    const file = path()
    const children = ['a', 'b', 'c', 'd'].map((name) => start('open-together', file, name))
    await Promise.all(children.map(({ process: { stdout } }) => once(stdout!, 'data')))
    for (const child of children) child.process.stdin!.write('go\n')
    expect(await Promise.all(children.map(({ ended }) => ended))).toStrictEqual([0, 0, 0, 0])

    const stamps = children.map(({ lines }) => lines.slice(1))
    for (const own of stamps) expect(own).toStrictEqual(own.toSorted())
    expect(new Set(stamps.flat()).size).toBe(32)
    await using db = await Valkeyrie.withSchema(['users', '*'], z.unknown()).open(file)
    expect(await db.repositories.users.count()).toBe(32)
    expect((await db.get(['total'])).value).toStrictEqual(new KvU64(32n))
    assertSound(file)
  }
})

test('no update of a row is lost, however many processes make them', async () => {
  const file = path()
  const rows = Valkeyrie.withSchema(['rows', '*'], z.object({ n: z.int() }))
  await using db = await rows.open(file)
  await db.repositories.rows.set('shared', { n: 0 })
  const children = [start('update-together', file), start('update-together', file)]
  const own = Promise.all(
    Array.from({ length: 50 }, () => db.repositories.rows.update('shared', ({ n }) => ({ n: n + 1 }))),
  )
  expect(await Promise.all(children.map(({ ended }) => ended))).toStrictEqual([0, 0])
  await own
  expect((await db.repositories.rows.get('shared')).value).toStrictEqual({ n: 150 })
})

describe('an open database', () => {
  test.each([
    ['a file', 'a.db'],
    ['memory', ':memory:'],
  ])('in %s does not keep its process alive', async (_, name) => {
    const child = start('leave-open', name === ':memory:' ? name : path(name))
    expect(await child.ended).toBe(0)
    expect(child.lines).toStrictEqual(['written'])
    if (name === ':memory:') return
    await using db = await Valkeyrie.open(path(name))
    expect((await db.get(['a'])).value).toBe(1)
    expect((await db.get(['b'])).versionstamp).toBeNull()
  })
})
