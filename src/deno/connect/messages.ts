import { many, message, one } from './protobuf.ts'

// The data path of KV Connect, version 3: https://github.com/denoland/denokv/blob/main/proto/schema/datapath.proto

export const valueEncodings = { v8: 1, u64: 2, bytes: 3 } as const
export const mutationTypes = { set: 1, delete: 2, sum: 3, max: 4, min: 5, stampedSet: 9 } as const
export const readSuccess = 1
export const writeStatuses = { success: 1, checkFailure: 2 } as const

const readRange = message({
  start: one(1, 'bytes'),
  end: one(2, 'bytes'),
  limit: one(3, 'number'),
  reverse: one(4, 'bool'),
})
export const snapshotRead = message({ ranges: many(1, readRange) })

const entry = message({
  key: one(1, 'bytes'),
  value: one(2, 'bytes'),
  encoding: one(3, 'number'),
  versionstamp: one(4, 'bytes'),
})
export const snapshotReadOutput = message({
  ranges: many(1, message({ values: many(1, entry) })),
  readIsStronglyConsistent: one(4, 'bool'),
  status: one(8, 'number'),
})

const check = message({ key: one(1, 'bytes'), versionstamp: one(2, 'bytes') })
const value = message({ data: one(1, 'bytes'), encoding: one(2, 'number') })
export const mutation = message({
  key: one(1, 'bytes'),
  value: one(2, value),
  type: one(3, 'number'),
  expireAtMs: one(4, 'number'),
})
export const enqueue = message({
  payload: one(1, 'bytes'),
  deadlineMs: one(2, 'number'),
  keysIfUndelivered: many(3, 'bytes'),
  backoffSchedule: many(4, 'number'),
})
export const atomicWrite = message({
  checks: many(1, check),
  mutations: many(2, mutation),
  enqueues: many(3, enqueue),
})
export const atomicWriteOutput = message({ status: one(1, 'number'), versionstamp: one(2, 'bytes') })

export const watch = message({ keys: many(1, message({ key: one(1, 'bytes') })) })
export const watchOutput = message({
  status: one(1, 'number'),
  keys: many(2, message({ changed: one(1, 'bool'), entryIfChanged: one(2, entry) })),
})
