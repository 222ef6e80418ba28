import { Valkeyrie } from 'valkeyrie'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { describeEngines } from '../engines.ts'
import { extent } from '../extent.ts'
import { runFixture } from './run-fixture.ts'

const written = z.object({ n: z.int(), at: z.number() })
const writers = ['a', 'b', 'c', 'd']
const changesEach = extent('changes of each process', 150, 300)

describeEngines('a feed', (engine) => {
  it('the feed across 4 writing processes misses nothing and repeats nothing, in version order', async () => {
    const file = engine.newAddress()
    await using db = await Valkeyrie.open(file)
    // Without `since`, a feed begins where the server says the newest version is, and the writers may be faster than its answer.
    const feed = db.changes({ since: '0'.repeat(20) }).getReader()
    const writing = Promise.all(
      writers.map((name) => runFixture<string[]>('watch-writer', file, name, changesEach, 2)),
    )

    const versionstamps: string[] = []
    const lastOf = new Map<string, number>()
    while (versionstamps.length < writers.length * changesEach) {
      const { type, key, versionstamp, value } = (await feed.read()).value!
      expect(type).toBe('set')
      versionstamps.push(versionstamp)
      if (value === null) continue
      const { n } = value as { n: number }
      const writer = String(key[1])
      expect(n).toBeGreaterThan(lastOf.get(writer) ?? 0)
      lastOf.set(writer, n)
    }
    expect(versionstamps).toEqual([...new Set(versionstamps)].sort())
    expect(new Set(versionstamps)).toEqual(new Set((await writing).flat()))
    expect([...lastOf].sort()).toEqual(writers.map((name) => [name, changesEach]))
    await feed.cancel()
  })

  it('the feed continues after a restart where it ended', async () => {
    const file = engine.newAddress()
    let since = '0'.repeat(20)
    const seen: string[] = []
    for (const name of ['first', 'second', 'third']) {
      await runFixture<string[]>('watch-writer', file, name, 40, 0)
      await using db = await Valkeyrie.open(file)
      const feed = db.changes({ since }).getReader()
      // Some changes are left for the next run.
      const wanted = name === 'third' ? 120 - seen.length : 30
      for (let i = 0; i < wanted; i++) {
        since = (await feed.read()).value!.versionstamp
        seen.push(since)
      }
    }
    expect(seen).toHaveLength(120)
    expect(seen).toEqual([...new Set(seen)].sort())
  })

  it('a live query follows what another process writes', async () => {
    const file = engine.newAddress()
    const open = () => Valkeyrie.withSchema(['k', '*', '*'], written, { name: 'written' }).open(file)
    await using db = await open()
    const query = { orderBy: { n: 'desc' }, limit: 3 } as const
    const reader = db.repositories.written.watchMany(query).getReader()
    expect((await reader.read()).value).toEqual([])
    const writing = runFixture('watch-writer', file, 'q', 200, 2)
    for (let newest = 0; newest < 200; ) newest = (await reader.read()).value![0]!.value.n
    await writing
    expect(await db.repositories.written.findFirst(query)).toMatchObject({ value: { n: 200 } })
    await reader.cancel()
  })
})
