import { createStorage, prefixStorage, restoreSnapshot, type Storage, snapshot } from 'unstorage'
import { Valkeyrie } from 'valkeyrie'
import { unstorageDriver } from 'valkeyrie/unstorage'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { newAddress } from '../engine-of-project.ts'
import { sharedAddresses } from '../shared-addresses.ts'
import { stillClock } from '../still-clock.ts'
import { waitFor, waitUntil } from '../waiting.ts'

const path = sharedAddresses()
let db: Valkeyrie
let storage: Storage

beforeEach(async () => {
  db = await Valkeyrie.open(newAddress())
  storage = createStorage({ driver: unstorageDriver(db) })
})
afterEach(async () => {
  await storage.dispose()
  await db.close()
})

// What unstorage asks of its own drivers. It publishes no suite: these are the behaviours that its repository tries.
describe('what every driver does', () => {
  it('has nothing at first', async () => {
    expect(await storage.hasItem('a:b')).toBe(false)
    expect(await storage.getItem('a:b')).toBeNull()
    expect(await storage.getItemRaw('a:b')).toBeNull()
    expect(await storage.getMeta('a:b')).toEqual({})
    expect(await storage.getKeys()).toEqual([])
    await storage.removeItem('a:b')
    await storage.clear()
  })

  it('sets, reads and removes, whatever way a key is written', async () => {
    await storage.setItem('/a/b.json?query=1', 'text')
    for (const key of ['a:b.json', 'a/b.json', 'a\\b.json', ':a::b.json:', 'a:b.json?other']) {
      expect(await storage.hasItem(key)).toBe(true)
      expect(await storage.getItem(key)).toBe('text')
    }
    await storage.removeItem('a:b.json')
    expect(await storage.hasItem('a:b.json')).toBe(false)
  })

  it.each([0, false, true, '', 'text', -1.5, { deep: [{ a: null }] }, [1, 'b']])(
    'keeps %j',
    async (value) => {
      await storage.setItem('k', value)
      expect(await storage.hasItem('k')).toBe(true)
      expect(await storage.getItem('k')).toEqual(value)
    },
  )

  it('stores the result of toJSON, and refuses objects without it', async () => {
    class Shown {
      toJSON() {
        return { shown: 1 }
      }
    }
    await storage.setItem('k', new Shown())
    expect(await storage.getItem('k')).toEqual({ shown: 1 })
    class Hidden {}
    await expect(storage.setItem('k', new Hidden())).rejects.toThrow('Cannot stringify')
  })

  it('removes a value that is set to undefined', async () => {
    await storage.setItem('k', 1)
    await storage.setItem('k', undefined as never)
    expect(await storage.hasItem('k')).toBe(false)
  })

  it('lists keys, below a base and to a depth', async () => {
    const keys = ['top', 'a:one', 'a:two', 'a:b:deep', 'ab:other', 'a;:behind']
    for (const key of keys) await storage.setItem(key, 1)
    expect((await storage.getKeys()).sort()).toEqual([...keys].sort())
    expect(await storage.getKeys('a')).toEqual(['a:b:deep', 'a:one', 'a:two'])
    expect(await storage.getKeys('a:b:')).toEqual(['a:b:deep'])
    expect(await storage.getKeys('', { maxDepth: 0 })).toEqual(['top'])
    expect((await storage.getKeys('', { maxDepth: 1 })).sort()).toEqual(
      keys.filter((key) => key !== 'a:b:deep').sort(),
    )
  })

  it('clears what is below a base, and nothing else', async () => {
    for (const key of ['a:one', 'a:b:two', 'ab:three', 'a']) await storage.setItem(key, 1)
    // A storage clears whole mounts only: a base that is one of them, or holds some.
    await storage.clear('a')
    expect(await storage.getKeys()).toHaveLength(4)
    await unstorageDriver(db).clear!('a:', {})
    expect((await storage.getKeys()).sort()).toEqual(['a', 'ab:three'])
    await db.set(['beside'], 1)
    await storage.clear()
    expect(await Array.fromAsync(db.list({ prefix: [] }), ({ key }) => key)).toEqual([['beside']])
  })

  it('writes and reads many', async () => {
    await storage.setItems<object | string>([
      { key: 'a:1', value: 'one' },
      { key: 'a:2', value: { two: 2 } },
    ])
    expect(await storage.getItems(['a:2', { key: 'a:1' }, 'a:none'])).toEqual([
      { key: 'a:2', value: { two: 2 } },
      { key: 'a:1', value: 'one' },
      { key: 'a:none', value: null },
    ])
  })

  it('keeps meta data beside a value, and removes it with that', async () => {
    const mtime = new Date(0)
    await storage.setItem('k', 1)
    await storage.setMeta('k', { mtime, by: 'alice' })
    expect(await storage.getMeta('k')).toMatchObject({ mtime, by: 'alice' })
    await storage.removeItem('k', { removeMeta: true })
    expect(await storage.getMeta('k')).toEqual({})
  })

  it('is copied by a snapshot', async () => {
    await restoreSnapshot(storage, { 'a:1': 'one', 'a:2': 'two' }, 'base')
    expect(await snapshot(storage, 'base')).toEqual({ 'a:1': 'one', 'a:2': 'two' })
  })

  it('is mounted beside others, and prefixed', async () => {
    const mounted = createStorage()
    mounted.mount('here', unstorageDriver(db, { prefix: ['mounted'] }))
    await mounted.setItem('here:k', 1)
    await mounted.setItem('memory', 2)
    expect((await mounted.getKeys()).sort()).toEqual(['here:k', 'memory'])
    expect(await prefixStorage(mounted, 'here').getItem('k')).toBe(1)
    expect(await db.get(['mounted', 'k'])).toMatchObject({ value: '1' })
  })
})

it('stores raw values as they are', async () => {
  const bytes = new Uint8Array([0, 255, 7])
  await storage.setItemRaw('bytes', bytes)
  expect(await storage.getItemRaw('bytes')).toEqual(bytes)
  const value = { at: new Date(0), map: new Map([[1n, /x/]]) }
  await storage.setItemRaw('value', value)
  expect(await storage.getItemRaw('value')).toEqual(value)
})

it("keeps a value for its ttl in seconds, the call's before the driver's", async () => {
  const clock = stillClock()
  const short = createStorage({ driver: unstorageDriver(db, { ttl: 10 }) })
  await short.setItem('driver', 1)
  await short.setItem('call', 1, { ttl: 20 })
  await short.setItemRaw('raw', 1, { ttl: 20 })
  await short.setItems(
    [
      { key: 'own', value: 1, options: { ttl: 30 } },
      { key: 'common', value: 1 },
    ],
    { ttl: 20 },
  )
  await short.setItem('stays', 1, { ttl: 0 })
  expect(await short.getMeta('call')).toMatchObject({ ttl: 20 })
  const left: string[][] = []
  for (let i = 0; i < 3; i += 1) {
    clock.advance(11_000)
    left.push((await short.getKeys()).sort())
  }
  expect(left).toEqual([['call', 'common', 'own', 'raw', 'stays'], ['own', 'stays'], ['stays']])
  await short.setItem('call', 1, { ttl: Number.POSITIVE_INFINITY })
  expect(await short.getMeta('call')).not.toHaveProperty('ttl')
  await expect(short.setItem('k', 1, { ttl: -1 })).rejects.toThrow('ttl must be a number of seconds')
  await expect(short.setItem('k', 1, { ttl: '5' })).rejects.toThrow(RangeError)
  expect(() => unstorageDriver(db, { ttl: Number.NaN })).toThrow(RangeError)
})

it('writes all of setItems or nothing', async () => {
  const driver = unstorageDriver(db)
  const items = [
    { key: 'a', value: 'one' },
    { key: 'b', value: (() => {}) as never },
  ]
  await expect(driver.setItems!(items)).rejects.toThrow(TypeError)
  expect(await driver.hasItem('a', {})).toBe(false)
})

it('watches the changes of this storage and of others, until it is told to stop', async () => {
  const file = path('watched.db')
  await using here = await Valkeyrie.open(file)
  await using there = await Valkeyrie.open(file)
  const watched = createStorage({ driver: unstorageDriver(here) })
  const seen: string[] = []
  const unwatch = await watched.watch((event, key) => void seen.push(`${event} ${key}`))
  await watched.setItem('a:1', 1)
  await createStorage({ driver: unstorageDriver(there) }).setItem('a:2', 2)
  await there.set(['unstorage', 'of', 'others'], 1)
  await watched.removeItem('a:1')
  await waitUntil('all changes', () => seen.length >= 3)
  expect(seen).toEqual(['update a:1', 'update a:2', 'remove a:1'])
  await unwatch()
  await watched.setItem('a:3', 3)
  await watched.dispose()
  expect(seen).toHaveLength(3)
  await here.set(['open'], true)
})

it('reports an expired value as removed', async () => {
  const clock = stillClock()
  const removed = Promise.withResolvers<string>()
  await storage.watch((event, key) => event === 'remove' && removed.resolve(key))
  await storage.setItem('k', 1, { ttl: 5 })
  clock.advance(6_000)
  await db.cleanup()
  expect(await waitFor('the expiry', removed.promise)).toBe('k')
})

it('a watcher that throws is a warning, and stops', async () => {
  const warned = Promise.withResolvers<unknown>()
  const emitWarning = vi.spyOn(process, 'emitWarning').mockImplementation(warned.resolve)
  const driver = unstorageDriver(db)
  await driver.watch!(() => {
    throw new Error('of the watcher')
  })
  await db.set(['unstorage', 'k'], 1)
  expect(await waitFor('the warning', warned.promise)).toEqual(new Error('of the watcher'))
  emitWarning.mockRestore()
})

it('takes a database with schemas', async () => {
  await using users = await Valkeyrie.withSchema(['users', '*'], z.object({ name: z.string() })).open(
    newAddress(),
  )
  const typed = createStorage({ driver: unstorageDriver(users, { prefix: ['users'] }) })
  await typed.setItemRaw('alice', { name: 'Alice' })
  expect(await users.repositories.users.get('alice')).toMatchObject({ value: { name: 'Alice' } })
  await expect(typed.setItemRaw('bob', { nme: 'Bob' })).rejects.toMatchObject({ code: 'VALIDATION' })
})

it('refuses anything but a database, and an unknown option', () => {
  expect(() => unstorageDriver({} as never)).toThrow('unstorageDriver takes an open database')
  expect(() => unstorageDriver(db, { prefix: [] })).toThrow(TypeError)
  expect(() => unstorageDriver(db, { base: 'x' } as never)).toThrow("There is no option 'base'")
})
