export type { Copied, CopyOptions } from './api/copy-database.ts'
export type { Database } from './api/database.ts'
export type { InspectOptions } from './api/inspect-options.ts'
export type { LoadOptions } from './api/load-options.ts'
export type { InspectedDatabase } from './api/open.ts'
export type { DroppedIndex, LogOptions, OpenOptions } from './api/open-options.ts'
export { Valkeyrie, type ValkeyrieBuilder } from './api/valkeyrie.ts'
export type { CallOptions } from './arguments/call-options.ts'
export type { KnownDefinition } from './catalog/known-definitions.ts'
export {
  type Conflict,
  ConflictError,
  ConnectionError,
  CorruptKeyError,
  CorruptLogError,
  CorruptValueError,
  DatabaseBusyError,
  DatabaseClosedError,
  DatabaseOpenError,
  KeyExistsError,
  KvError,
  type KvErrorCode,
  LogTrimmedError,
  MigrationError,
  NotFoundError,
  QueryError,
  type RefusedRows,
  SnapshotExpiredError,
  StorageError,
  UniqueConstraintError,
  ValidationError,
  type ValidationIssue,
} from './contract/errors.ts'
export type { Key, KeyPart } from './contract/key.types.ts'
export type { Limits } from './contract/limits.ts'
export type { Backup, BackupOptions } from './driver/backup.ts'
export type { PostgresDrizzle, PostgresResult } from './driver/postgres/engine.types.ts'
export type {
  PostgresKvCollectionsTable,
  PostgresKvLogTable,
  PostgresKvTable,
  PostgresTables,
} from './driver/postgres/tables/table.ts'
export type { DrizzleDatabase } from './driver/sqlite/engine.types.ts'
export type { KvCollectionsTable, KvLogTable, KvTable, KvTables } from './driver/sqlite/tables/table.ts'
export type {
  DatabaseStats,
  ExpiryStats,
  FileStats,
  IndexStats,
  LogStats,
  RepositoryStats,
} from './driver/stats.ts'
export type { Finding, Verification, VerifyOptions } from './driver/verification.ts'
export type { IdKind, Pattern, PatternPart, TypedId, Wildcard } from './key/pattern.types.ts'
export type { Selector } from './key/range.ts'
export { id } from './key/typed-id.ts'
export { isVersionstamp } from './key/versionstamp.ts'
export type { ReadOptions } from './key-value/read-options.ts'
export { type Parameter, parameter } from './query/parameter.ts'
export type { Columns, IdConditions, OrderBy, Where } from './query/query.types.ts'
export type { AggregateQuery, AggregateResult } from './repository/types/aggregate.types.ts'
export type {
  ChosenRow,
  Increment,
  MissingRow,
  RepositoryEntry,
  RepositoryEntryMaybe,
  Row,
  RowMaybe,
  Update,
} from './repository/types/entry.types.ts'
export type { Highlights, Query, QueryEntry, TextPart } from './repository/types/query.types.ts'
export type {
  ClaimManyResult,
  CompiledSql,
  Page,
  PreparedQuery,
  WriteManyResult,
} from './repository/types/query-methods.types.ts'
export type {
  Repositories,
  RepositoryOf,
  RepositoryView,
  RepositoryViewOf,
} from './repository/types/repositories.types.ts'
export type {
  CreateOptions,
  CreateResult,
  IdRange,
  InsertManyOptions,
  InsertManyResult,
  Repository,
  UpsertResult,
} from './repository/types/repository.types.ts'
export type { RepositoryChange } from './repository/types/watch-methods.types.ts'
export type {
  AnyDefinition,
  Definition,
  DefinitionOf,
  DefinitionOptions,
  IndexOptions,
  SearchedOf,
} from './schema/definition.types.ts'
export type {
  Definitions,
  Entry,
  EntryMaybe,
  InputOf,
  KeyEntry,
  KeyEntryMaybe,
  ValueOf,
  WatchEntries,
} from './schema/registry.types.ts'
export type { SearchDefinition, SearchOptions, SearchTokenizer } from './schema/search-definition.ts'
export type {
  AtomicCheck,
  AtomicMutation,
  AtomicOperation,
  AtomicResult,
  CommitResult,
} from './store/atomic-operation.types.ts'
export type { ExpireOptions, SetOptions } from './store/expiry.ts'
export type { IfVersionOptions } from './store/if-version.ts'
export type { ListIterator, ListOptions } from './store/list-iterator.ts'
export type { EnqueueOptions } from './store/queued-message.ts'
export type {
  TracedCall,
  TracedCommit,
  TracedConflict,
  TracedQuery,
  TracedRetry,
  TracedWait,
  TraceMessage,
} from './trace/channels.ts'
export type { UnitOfWorkOptions } from './unit-of-work/run-unit-of-work.ts'
export type { SnapshotOptions, SnapshotView } from './unit-of-work/snapshot.ts'
export type { UnitOfWork } from './unit-of-work/unit-of-work.ts'
export { KvU64 } from './value/kv-u64.ts'
export { defineValueType, type ValueType } from './value/value-type.ts'
export type { Change, ChangesOptions } from './watch/change.types.ts'
export type { WatchOptions } from './watch/watch-options.ts'
