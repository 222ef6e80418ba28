import { setImmediate as nextTurn } from 'node:timers/promises'
import { beforeEach, expect, it, vi } from 'vitest'
import { HotRows } from '../../../src/driver/sqlite/reads/hot-rows.ts'
import { endMoment } from '../../../src/driver/sqlite/reads/moment.ts'
import { encodeKey } from '../../../src/key/codec.ts'

/** Microseconds of the clock. */
let time = 0

beforeEach(() => {
  time = 0
})

function key(id: string | number): Uint8Array {
  return encodeKey(['rows', id])
}

function row(value: string | Uint8Array, expiresAt: number | null = null) {
  return { value, encoding: 0, types: null, version: 1, expiresAt }
}

/** `looks`: how often others' commits were looked for. `look`: how many microseconds one takes. */
function open({ isInMemory = false, look = 3 } = {}) {
  const state = { looks: 0, version: 1 }
  const get = () => {
    state.looks += 1
    time += look
    return state.version
  }
  const sharing = { hasDrizzle: false }
  const hot = new HotRows(
    { control: { dataVersion: { get } } } as never,
    sharing,
    isInMemory,
    () => time / 1e3,
  )
  const read = (id: string | number, value: ReturnType<typeof row>, now = 0) => {
    const found = hot.find(key(id), now)
    const { asked } = hot
    if (found === undefined && asked !== null) hot.keep(asked, value)
    return found
  }
  // The state of the first row is not known yet, so it is read twice.
  read('a', row('a'))
  read('a', row('a'))
  state.looks = 0
  return { hot, state, sharing, read, find: (id: string | number, now = 0) => hot.find(key(id), now) }
}

it('finds a row again, without another look for commits of others while rows are read one after the other', () => {
  const { state, find } = open()
  for (let n = 0; n < 100; n++) expect(find('a')).toEqual(row('a'))
  expect(state.looks).toBe(0)
})

it('looks again after each millisecond of work', () => {
  const { state, find } = open()
  for (; time < 5_000; time += 3) find('a')
  expect(state.looks).toBe(4)
})

it('looks again after a moment in which nothing was found, since another process may have answered in it', () => {
  const { state, find } = open()
  time += 5
  find('a')
  expect(state.looks).toBe(1)
})

it('looks again after as long as it takes another to commit, which is longer than one look and a half', () => {
  for (const look of [1, 2]) {
    const { state, find } = open({ look })
    for (let n = 0; n < 10; n++) {
      find('a')
      time += 1.4 * look
    }
    expect(state.looks).toBe(0)
    time += 0.2 * look
    find('a')
    expect(state.looks).toBe(1)
  }
})

it('on Deno, which runs no ticks between two messages, looks for each row', () => {
  vi.stubGlobal('Deno', {})
  const { state, find } = open()
  vi.unstubAllGlobals()
  for (let n = 0; n < 10; n++) find('a')
  expect(state.looks).toBe(10)
})

it('looks again after any use of the engine, which may have shown the commit of another', () => {
  const { state, find } = open()
  endMoment()
  find('a')
  find('a')
  expect(state.looks).toBe(1)
})

it('looks again in each callback of the event loop, which may bring a message', async () => {
  const { state, find } = open()
  for (let turn = 1; turn < 5; turn++) {
    await nextTurn()
    find('a')
    await undefined
    find('a')
    expect(state.looks).toBe(turn)
  }
})

it('looks in each callback for each connection', async () => {
  const one = open()
  const other = open()
  await nextTurn()
  one.find('a')
  other.find('a')
  expect([one.state.looks, other.state.looks]).toEqual([1, 1])
})

it('after the commit of another finds nothing, until the row was read again', () => {
  const { state, find, read } = open()
  state.version += 1
  expect(find('a')).toEqual(row('a'))
  time += 5
  expect(read('a', row('new'))).toBeUndefined()
  expect(find('a')).toEqual(row('new'))
})

it('a look that fails shows no row', () => {
  const { state, find } = open()
  const version = vi.spyOn(state, 'version', 'get').mockImplementation(() => {
    throw new Error('busy')
  })
  time += 5
  expect(() => find('a')).toThrow('busy')
  expect(() => find('a')).toThrow('busy')
  version.mockRestore()
  expect(find('a')).toEqual(row('a'))
})

it('finds no row that has expired, or was forgotten', () => {
  const { hot, find, read } = open()
  read('b', row('b', 100))
  expect(find('b', 99)).toEqual(row('b', 100))
  expect(find('b', 100)).toBeUndefined()
  hot.forget(key('a'))
  expect(find('a')).toBeUndefined()
  expect(find('b', 99)).toBeDefined()
  hot.forgetAll()
  expect(find('b', 99)).toBeUndefined()
})

it('keeps neither bytes, which whoever gets the value can change, nor a large value', () => {
  const { find, read } = open()
  read('b', row(new Uint8Array(1)))
  read('c', row('c'.repeat(40_000)))
  expect(find('b')).toBeUndefined()
  expect(find('c')).toBeUndefined()
})

it('keeps two million characters at most, and of those what is read often', () => {
  const { find, read } = open()
  const value = row('v'.repeat(1_000))
  for (let n = 0; n < 20_000; n++) {
    read(n, value)
    expect(find('a')).toEqual(row('a'))
  }
  let kept = 0
  for (let n = 0; n < 20_000; n++) if (find(n) !== undefined) kept += 1
  expect(kept).toBeGreaterThan(750)
  expect(kept).toBeLessThan(2_000)
})

it('rows that are written as often as they are read push no others out', () => {
  const { hot, find, read } = open()
  for (let n = 0; n < 20_000; n++) {
    read('b', row('v'.repeat(1_000)))
    hot.forget(key('b'))
  }
  // So many rows were not found that few are looked for.
  const found = Array.from({ length: 32 }, () => find('a')).filter((one) => one !== undefined)
  expect(found[0]).toEqual(row('a'))
})

it('is asked for few of the rows while it has none of them, and for all again once it has some', () => {
  const { hot, read } = open()
  const asked = vi.spyOn(Map.prototype, 'get')
  const asks = (call: () => void) => {
    asked.mockClear()
    call()
    return asked.mock.calls.filter(([text]) => String(text).includes('rows')).length
  }
  try {
    for (let n = 0; n < 1_000; n++) read(n, row('v'))
    expect(
      asks(() => {
        for (let n = 1_000; n < 1_320; n++) read(n, row('v'))
      }),
    ).toBe(20)
    for (let n = 0; n < 1_000; n++) read('b', row('v'))
    expect(
      asks(() => {
        for (let n = 0; n < 100; n++) hot.find(key('b'), 0)
      }),
    ).toBe(100)
  } finally {
    asked.mockRestore()
  }
})

it('is asked for few of the rows if each that it has takes a look, and less than half of them are there', () => {
  const { hot, state, read } = open()
  for (let n = 0; n < 2_000; n++) {
    time += 10
    read(n % 3 === 0 ? 'a' : n, row('v'))
  }
  state.looks = 0
  for (let n = 0; n < 320; n++) {
    time += 10
    hot.find(key('a'), 0)
  }
  expect(state.looks).toBeLessThan(320)
})

it('in memory, where nobody else commits, never looks, and keeps nothing once plain Drizzle was asked for', () => {
  const { state, sharing, find, read } = open({ isInMemory: true })
  time += 10_000
  expect(find('a')).toEqual(row('a'))
  expect(state.looks).toBe(0)
  sharing.hasDrizzle = true
  expect(read('a', row('a'))).toBeUndefined()
  expect(read('a', row('a'))).toBeUndefined()
})

it('looks for each row once plain Drizzle was asked for, whose commits pass through no driver', () => {
  const { state, sharing, find } = open()
  sharing.hasDrizzle = true
  for (let n = 0; n < 10; n++) find('a')
  expect(state.looks).toBe(10)
})
