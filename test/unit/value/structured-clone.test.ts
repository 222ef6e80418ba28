import { serialize as serializeInNode } from 'node:v8'
import { expect, it } from 'vitest'
import { deserialize, serialize } from '../../../src/value/structured-clone.ts'

it('what Node.js and the newer V8 of Deno write is read', () => {
  const value = { at: new Date(0), bytes: new Uint8Array([1, 2]), map: new Map([[1n, /x/g]]) }
  expect(deserialize(serializeInNode(value))).toEqual(value)
  const newer = serialize(value)
  newer[1] = 16
  expect(deserialize(newer)).toEqual(value)
  expect(newer[1]).toBe(16)
})

it('only the part of a buffer that a view shows is written', () => {
  const secret = new TextEncoder().encode('secret and public')
  const bytes = serialize({ shown: secret.subarray(11), data: new DataView(secret.buffer, 11, 6) })
  expect(Buffer.from(bytes).includes('secret')).toBe(false)
  const { shown, data } = deserialize(bytes) as { shown: Uint8Array; data: DataView }
  expect(new TextDecoder().decode(shown)).toBe('public')
  expect([data.byteLength, data.buffer.byteLength]).toEqual([6, 6])
})

it('anything but a serialization is a TypeError', () => {
  for (const bytes of [[], [1], [0xff], [0xff, 99, 0x30], [0xff, 15, 0x6f]])
    expect(() => deserialize(Uint8Array.from(bytes))).toThrow(TypeError)
})
