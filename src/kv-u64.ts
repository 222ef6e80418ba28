export { isKvU64, KvU64 } from './value/kv-u64.ts'
