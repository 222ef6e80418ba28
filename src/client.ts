export type { RetryOptions } from './client/backoff.ts'
export {
  type ClientOptions,
  createClient,
  type FollowOptions,
  type LiveClient,
} from './client/create-client.ts'
export { LiveError, type LiveErrorCode } from './client/live-error.ts'
export { LiveResult } from './client/live-result.ts'
export type { LiveState } from './client/shared-result.ts'
export { isKvU64, KvU64 } from './value/kv-u64.ts'
export { defineValueType, type ValueType } from './value/value-type.ts'
export type { Problem } from './wire/event.ts'
