import { expect, it, onTestFinished } from 'vitest'
import { openSqlite } from '../../../src/driver/sqlite/open.ts'
import { encodeKey } from '../../../src/key/codec.ts'
import { Encoding } from '../../../src/value/encoding.ts'
import { driverOptions } from '../../driver-options.ts'
import { temporaryFolder } from '../../temporary-folder.ts'

const path = temporaryFolder()
const key = encodeKey(['a'])
const stored = { value: '1', encoding: Encoding.json, types: null } as const

async function open(file: string) {
  const { driver, catalog } = await openSqlite([], {
    path: file,
    ...driverOptions,
    durability: 'normal',
  })
  onTestFinished(() => driver.close())
  /** Commits once, and gives the version. */
  const commit = async () => {
    const writes = [{ checks: [], mutations: [{ type: 'set', key, collection: null, stored }] as const }]
    const outcome = await driver.commit({ catalogVersion: catalog.version, writes })
    expect(outcome).toMatchObject({ type: 'done', outcomes: [{ type: 'committed' }] })
    return driver.latestVersion()
  }
  return { driver, commit }
}

/** What a driver finds of the commits of others. */
function followed({ driver }: Awaited<ReturnType<typeof open>>) {
  const stop = new AbortController()
  onTestFinished(() => stop.abort())
  const commits = driver.follow(0, stop.signal)[Symbol.asyncIterator]()
  return async () => (await commits.next()).value
}

it('finds commits of others whichever connections are in use, between commits of its own', async () => {
  const file = path()
  const [own, other] = [await open(file), await open(file)]
  const next = followed(own)
  for (let round = 0; round < 3; round++) {
    const found = next()
    const version = await other.commit()
    expect(await found).toBe(version)
    await own.commit()
    // Takes the connection with which it looked, and gives it back while it looks with another one.
    const session = own.driver.session('held')
    await session.state()
    const foundInSession = next()
    const inSession = await other.commit()
    expect(await foundInSession).toBe(inSession)
    await own.commit()
    session.end()
  }
})

it('finds a commit again for a follower that begins after it', async () => {
  const file = path()
  const [own, other] = [await open(file), await open(file)]
  const version = await other.commit()
  expect(await followed(own)()).toBe(version)
  expect(await followed(own)()).toBe(version)
})
