import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { WatchHub } from '../../../src/broadcast/hub.ts'
import type { Subscription } from '../../../src/broadcast/subscription.ts'
import type { Key } from '../../../src/contract/key.types.ts'
import type { Driver, LoggedCommit, LogPage } from '../../../src/driver/driver.ts'
import { lookForCommits } from '../../../src/driver/look-for-commits.ts'
import { encodeKey } from '../../../src/key/codec.ts'
import { prefixRange } from '../../../src/key/range.ts'
import { waitUntil } from '../../waiting.ts'

/** The log of a database that a test commits to, as another connection does. */
class FakeLog {
  commits: LoggedCommit[] = []
  oldest = 1
  readonly calls = { latestVersion: 0, commitsSince: 0 }

  get latest(): number {
    return this.commits.at(-1)?.version ?? 0
  }

  commit(...keys: Key[]): number {
    const changes = keys.map((key) => ({ type: 'set' as const, key: encodeKey(key) }))
    this.commits.push({ version: this.latest + 1, at: 0, changes })
    return this.latest
  }

  #look(): number {
    this.calls.latestVersion++
    return this.latest
  }

  readonly driver = {
    latestVersion: async () => this.#look(),
    follow: (_since: number, signal: AbortSignal) => lookForCommits(() => this.#look(), signal),
    commitsSince: async (version: number, limit: number): Promise<LogPage> => {
      this.calls.commitsSince++
      const commits = this.commits.filter((it) => it.version > version && it.version >= this.oldest)
      return { commits: commits.slice(0, limit), oldest: this.oldest, latest: this.latest }
    },
  } as Partial<Driver> as Driver
}

const changesOf = (...keys: Key[]) => keys.map((key) => ({ key: encodeKey(key) }))

/** Whether it has been woken since it was armed. */
async function isWoken(subscription: Subscription): Promise<boolean> {
  let woken = false
  void subscription.changed().then(() => {
    woken = true
  })
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
  return woken
}

describe('commits of this connection', () => {
  it('wake those who watch a changed key, and nobody else', async () => {
    const log = new FakeLog()
    const hub = new WatchHub(log.driver)
    expect(hub.active).toBe(false)
    const [a, b] = [await hub.watchKeys([encodeKey(['a'])]), await hub.watchKeys([encodeKey(['b'])])]
    const below = await hub.watchRanges([prefixRange(encodeKey(['x']))])
    expect(hub.active).toBe(true)
    hub.committed(changesOf(['a']), log.commit(['a']))
    hub.committed(changesOf(['x', 1]), log.commit(['x', 1]))
    expect([await isWoken(a), await isWoken(b), await isWoken(below)]).toEqual([true, false, true])
    expect(below.distributed).toBe(1)
    expect(log.calls.commitsSince).toBe(0)
    hub.close()
  })

  it('a commit after those of others waits until theirs are read', async () => {
    const log = new FakeLog()
    const hub = new WatchHub(log.driver)
    const subscription = await hub.watchKeys([encodeKey(['foreign'])])
    log.commit(['foreign'])
    hub.committed(changesOf(['own']), log.commit(['own']))
    expect(await isWoken(subscription)).toBe(true)
    expect(subscription.distributed).toBe(0)
    hub.close()
  })
})

it('no commit is skipped that is reported at any moment of reading the log', async () => {
  for (let moment = 0; moment < 12; moment++) {
    const log = new FakeLog()
    const hub = new WatchHub(log.driver)
    const own = await hub.watchKeys([encodeKey(['own'])])
    log.commit(['foreign'])
    log.commit(['foreign'])
    hub.refresh()
    for (let turn = 0; turn < moment; turn++) await null
    // Another connection commits in between, so that the hub must read the log.
    log.commit(['foreign'])
    hub.committed(changesOf(['own']), log.commit(['own']))
    expect(await isWoken(own), `told after ${moment} turns`).toBe(true)
    hub.close()
  }
})

describe('commits of other connections', () => {
  it('are noticed and read from the log, page by page', async () => {
    const log = new FakeLog()
    const found = vi.fn()
    const hub = new WatchHub(log.driver, found)
    const subscription = await hub.watchKeys([encodeKey(['last'])])
    for (let i = 0; i < 2_500; i++) log.commit(['n', i])
    log.commit(['last'])
    await subscription.changed()
    expect(subscription.distributed).toBe(2_500)
    await waitUntil('the sweeper to be told', () => found.mock.calls.length === 1)
    hub.close()
  })

  it('wake everyone when the log no longer has them', async () => {
    const log = new FakeLog()
    const hub = new WatchHub(log.driver)
    const subscription = await hub.watchKeys([encodeKey(['a'])])
    for (let i = 0; i < 10; i++) log.commit(['n', i])
    log.oldest = 8
    await subscription.changed()
    expect(subscription.distributed).toBe(0)
    hub.close()
  })

  it('are not looked for while nobody watches', async () => {
    const log = new FakeLog()
    const hub = new WatchHub(log.driver)
    const subscription = await hub.watchKeys([encodeKey(['a'])])
    await waitUntil('a look at the file', () => log.calls.latestVersion > 1)
    subscription.end()
    expect(hub.size).toBe(0)
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    await waitUntil('the last look', () => !hub.active)
    const { latestVersion } = log.calls
    await vi.advanceTimersByTimeAsync(10_000)
    expect(log.calls.latestVersion).toBe(latestVersion)
  })

  it('are looked for again after a failure, which watchers learn of', async () => {
    const log = new FakeLog()
    const hub = new WatchHub(log.driver)
    const subscription = await hub.watchKeys([encodeKey(['a'])])
    const { commitsSince } = log.driver
    log.driver.commitsSince = () => Promise.reject(new Error('disk'))
    log.commit(['a'])
    await subscription.changed()
    subscription.arm()
    log.driver.commitsSince = commitsSince
    await subscription.changed()
    hub.close()
  })
})

it('a closed hub takes no subscription, and keeps none', async () => {
  const hub = new WatchHub(new FakeLog().driver)
  hub.close()
  await expect(hub.watchKeys([encodeKey(['a'])])).rejects.toThrow('Database is closed')
  await expect(hub.watchRanges([prefixRange(encodeKey(['a']))])).rejects.toThrow('Database is closed')
  expect(hub.size).toBe(0)
})
