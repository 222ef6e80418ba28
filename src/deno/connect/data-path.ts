import { Buffer } from 'node:buffer'
import type { Key } from '../../contract/key.types.ts'
import { decodeKey, encodeStoredKey } from '../../key/codec.ts'
import type { Entry } from '../../schema/registry.types.ts'
import type { Backend, EncodedKey, RawMessage, RawMutation } from '../backend.ts'
import { littleEndian, type RawValue, rawStored } from '../raw-value.ts'
import * as messages from './messages.ts'
import { type Decoded, decode, encode } from './protobuf.ts'

const { valueEncodings, mutationTypes, writeStatuses } = messages

/** Answers `snapshot_read`. */
export async function snapshotRead(backend: Backend, body: Uint8Array): Promise<Uint8Array> {
  const { ranges } = decode(messages.snapshotRead, body)
  if (ranges.some(({ limit }) => limit <= 0)) throw new TypeError('limit must be greater than 0')
  const found = await backend.read(ranges)
  return encode(messages.snapshotReadOutput, {
    ranges: found.map((entries) => ({ values: entries.map(encodedEntry) })),
    readIsStronglyConsistent: true,
    status: messages.readSuccess,
  })
}

/** Answers `atomic_write`. */
export async function atomicWrite(backend: Backend, body: Uint8Array): Promise<Uint8Array> {
  const { checks, mutations, enqueues } = decode(messages.atomicWrite, body)
  const versionstamp = await backend.write({
    checks: checks.map(({ key, versionstamp }) => ({
      bytes: key,
      versionstamp: versionstamp.length === 0 ? null : Buffer.from(versionstamp).toString('hex'),
    })),
    mutations: mutations.map(rawMutation),
    messages: enqueues.map(rawMessage),
  })
  return versionstamp === null
    ? encode(messages.atomicWriteOutput, { status: writeStatuses.checkFailure })
    : encode(messages.atomicWriteOutput, {
        status: writeStatuses.success,
        versionstamp: Buffer.from(versionstamp, 'hex'),
      })
}

/** Answers `watch`: a stream of messages that say for each key whether it has changed since the last message. */
export function watch(backend: Backend, body: Uint8Array, signal: AbortSignal): ReadableStream<Uint8Array> {
  const keys = decode(messages.watch, body).keys.map(({ key }) => keyOf(key).key)
  let last: readonly (string | null)[] | null = null
  const toOutput = new TransformStream<(Entry | null)[], Uint8Array>({
    transform(entries, controller) {
      const stamps = entries.map((entry) => entry?.versionstamp ?? null)
      const changed = stamps.map((stamp, i) => last === null || last[i] !== stamp)
      last = stamps
      const output = entries.map((entry, i) => ({
        changed: changed[i]!,
        entryIfChanged: changed[i]! && entry !== null ? encodedEntry(entry) : null,
      }))
      controller.enqueue(encode(messages.watchOutput, { status: messages.readSuccess, keys: output }))
    },
  })
  return backend.watch(keys, signal).pipeThrough(toOutput)
}

function encodedEntry({ key, value, versionstamp }: Entry) {
  const raw = rawStored(value)
  return {
    key: encodeStoredKey(key),
    value: raw.kind === 'u64' ? littleEndian(raw.value) : raw.bytes,
    encoding: valueEncodings[raw.kind],
    versionstamp: Buffer.from(versionstamp, 'hex'),
  }
}

function rawMutation({
  key: bytes,
  type,
  value,
  expireAtMs,
}: Decoded<(typeof messages.mutation)['fields']>): RawMutation {
  const key = keyOf(bytes)
  switch (type) {
    case mutationTypes.delete:
      return { ...key, type: 'delete' }
    case mutationTypes.sum:
      return { ...key, type: 'sum', value: rawValue(value) }
    case mutationTypes.min:
      return { ...key, type: 'min', value: rawValue(value) }
    case mutationTypes.max:
      return { ...key, type: 'max', value: rawValue(value) }
    case mutationTypes.set:
    case mutationTypes.stampedSet: {
      const expireAt = expireAtMs === 0 ? null : expireAtMs
      return { ...key, type: 'set', value: rawValue(value), expireAt, stamped: type !== mutationTypes.set }
    }
    default:
      throw new TypeError(`There is no mutation of type ${type}`)
  }
}

function rawValue(value: { readonly data: Uint8Array; readonly encoding: number } | null): RawValue {
  if (value?.encoding === valueEncodings.v8) return { kind: 'v8', bytes: new Uint8Array(value.data) }
  if (value?.encoding === valueEncodings.bytes) return { kind: 'bytes', bytes: new Uint8Array(value.data) }
  if (value?.encoding !== valueEncodings.u64) throw new TypeError('A mutation lacks its value')
  if (value.data.length !== 8) throw new TypeError('A number of 64 bits has 8 bytes')
  return { kind: 'u64', value: Buffer.from(value.data).readBigUInt64LE() }
}

function rawMessage({
  payload,
  deadlineMs,
  keysIfUndelivered,
  backoffSchedule,
}: Decoded<(typeof messages.enqueue)['fields']>): RawMessage {
  return {
    payload: { kind: 'v8', bytes: new Uint8Array(payload) },
    due: deadlineMs,
    keysIfUndelivered: keysIfUndelivered.map((bytes) => keyOf(bytes).key),
    backoffSchedule,
  }
}

function keyOf(bytes: Uint8Array): EncodedKey {
  let key: Key
  try {
    key = decodeKey(bytes)
  } catch (error) {
    throw new TypeError('A key cannot be decoded', { cause: error })
  }
  return { key, bytes }
}
