import { deepStrictEqual } from 'node:assert'
import fc from 'fast-check'
import { defineValueType, KvU64 } from 'valkeyrie/client'
import { expect, it } from 'vitest'
import { ResultReader } from '../../src/client/result-reader.ts'
import { ResultEvents } from '../../src/http/result-events.ts'
import { RowWriter } from '../../src/http/row-writer.ts'
import { applyDelta, deltaOf, type Run } from '../../src/wire/delta.ts'
import { wireFormat } from '../../src/wire/row.ts'
import { anyValue } from '../property/any-value.ts'

const tags = fc.array(fc.constantFrom(...'abcdefgh'), { maxLength: 12 })
const isRun = (step: Run | string): step is Run => Array.isArray(step)

it('a delta turns one result into another, with only the rows that the first lacks', () => {
  fc.assert(
    fc.property(tags, tags, (before, after) => {
      const steps = deltaOf(before, after).map((step) => (typeof step === 'number' ? after[step]! : step))
      expect(applyDelta(before, steps, isRun, (row) => row)).toEqual(after)
      expect(steps.filter((step) => !isRun(step) && before.includes(step))).toEqual([])
    }),
  )
})

it('a result that differs in one row takes at most three steps', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(), { minLength: 1 }), fc.nat(), (rows, at) => {
      const before = rows.map(String)
      const after = before.with(at % before.length, 'new')
      expect(deltaOf(before, after).length).toBeLessThanOrEqual(3)
    }),
  )
})

it.each([[[0, 4]], [[3, 1]], [[-1, 1]], [[0.5, 1]], [[0, -1]], [[2, 2]], [[0, '1']], [[0]]])(
  'a run outside of the previous result is refused: %j',
  (run) => {
    expect(() => applyDelta(['a', 'b', 'c'], [run as unknown as Run], isRun, (row) => row)).toThrow(
      RangeError,
    )
  },
)

const format = wireFormat()

/** What a client has read of the text of events. */
function readAll(reader: ResultReader, text: string): unknown {
  let result: unknown
  for (const event of text.split('\n\n').slice(0, -1)) {
    const [, name, data] = /^(?:id: .*\n)?event: (.*)\ndata: (.*)$/.exec(event)!
    result = reader.read({ name: name as never, data: data!, id: undefined })
  }
  return result
}

interface Row {
  readonly id: number
  readonly version: number
}
const rows = fc.uniqueArray(fc.record({ id: fc.nat(9), version: fc.nat(2) }), {
  selector: ({ id }) => id,
  maxLength: 8,
})
const states = fc.array(fc.record({ rows, isNewServer: fc.boolean(), isNewObject: fc.boolean() }), {
  minLength: 1,
  maxLength: 12,
})

it('a client has the rows of every state, each the same object for as long as it is equal, over servers that come and go', async () => {
  await fc.assert(
    fc.asyncProperty(states, async (given) => {
      const reader = new ResultReader(format)
      const writers = [new RowWriter(format), new RowWriter(format)]
      let before: readonly Row[] = []
      let known: string | null = null
      let next = 0
      while (next < given.length) {
        // The states of one connection: up to the next one from another server.
        const rest = given.slice(next + 1)
        const count = 1 + (rest.findIndex(({ isNewServer }) => isNewServer) + 1 || rest.length + 1) - 1
        const part = given.slice(next, next + count)
        next += count
        const shown = part.map(({ rows, isNewObject }) =>
          rows.map((row) => (isNewObject ? { ...row } : Object.freeze({ ...row }))),
        )
        const events = new ResultEvents(ReadableStream.from(shown), writers[next % 2]!, known)
        // A state equal to the one before is not reported.
        let at = -1
        for (let text = await events.next(); text !== null; text = await events.next()) {
          known = /^id: (.*)$/m.exec(text)![1]!
          const result = readAll(reader, text) as readonly Row[]
          at = shown.findIndex((state, i) => i > at && JSON.stringify(state) === JSON.stringify(result))
          expect(at).toBeGreaterThanOrEqual(0)
          for (const row of result) {
            const same = before.find(({ id, version }) => id === row.id && version === row.version)
            if (same !== undefined) expect(row).toBe(same)
          }
          expect(Object.isFrozen(result) && result.every(Object.isFrozen)).toBe(true)
          before = result
        }
        expect(before).toEqual(part.at(-1)!.rows)
      }
    }),
  )
})

it('a value of any type comes back unchanged', async () => {
  await fc.assert(
    fc.asyncProperty(anyValue, async (value) => {
      const events = new ResultEvents(ReadableStream.from([[{ value }]]), new RowWriter(format), null)
      const [row] = readAll(new ResultReader(format), (await events.next())!) as readonly { value: unknown }[]
      deepStrictEqual(row!.value, value)
    }),
  )
})

it('a KvU64 and instances of your own types come back unchanged, wherever they are', async () => {
  class Money {
    readonly cents: bigint
    constructor(cents: bigint) {
      this.cents = cents
    }
  }
  const money = defineValueType({
    name: 'Money',
    class: Money,
    encode: ({ cents }) => cents,
    decode: (cents: bigint) => new Money(cents),
  })
  const both = wireFormat([money])
  const rows = [{ value: new KvU64(2n ** 64n - 1n), price: new Money(5n) }, new KvU64(0n), new Money(7n)]
  const events = new ResultEvents(ReadableStream.from([rows]), new RowWriter(both), null)
  deepStrictEqual(readAll(new ResultReader(both), (await events.next())!), rows)
})
