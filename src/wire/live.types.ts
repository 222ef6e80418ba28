import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Key } from '../contract/key.types.ts'

/** A query or keys that clients may follow by name. Make it with `liveQuery`. */
export interface LiveQuery<Schema extends StandardSchemaV1 | undefined, T> {
  /** Tells it from changes. */
  readonly kind: 'query'
  /** The schema of its parameters; undefined if it has none. */
  readonly params: Schema
  /**
   * Opens a stream of states for checked parameters.
   *
   * ```ts
   * const reader = podium.open({ places: 1 }, { signal: AbortSignal.timeout(60_000) }).getReader()
   * const { value: [first] = [] } = await reader.read()
   * first?.id // => 'ada'
   * await reader.cancel()
   * ```
   */
  readonly open: (params: OutputOf<Schema>, options: LiveOptions) => ReadableStream<T>
}

/** Changes that clients may follow by name. Make it with `liveChanges`. */
export interface LiveChanges<Schema extends StandardSchemaV1 | undefined, C extends LiveChange>
  extends LiveChangesFilter<OutputOf<Schema>, C> {
  /** Tells it from a query. */
  readonly kind: 'changes'
  /** The schema of its parameters; undefined if it has none. */
  readonly params: Schema
  /**
   * Opens a stream of changes for checked parameters.
   *
   * ```ts
   * const options = { since: '0'.repeat(20), signal: AbortSignal.timeout(60_000) }
   * const reader = scores.open(undefined, options).getReader()
   * const { value: change } = await reader.read()
   * change?.id // => 'ada'
   * await reader.cancel()
   * ```
   */
  readonly open: (params: OutputOf<Schema>, options: LiveChangesOptions) => ReadableStream<C>
}

/** Which changes of a stream to send. */
export interface LiveChangesFilter<Params, C extends LiveChange> {
  /**
   * Whether to send a change to a client with these parameters. Left out: every change is sent. Decide by its key or id: a change
   * that a later one has overtaken has no value any more.
   *
   * ```ts
   * const ofAda = liveChanges((_, { since }) => db.repositories.players.changes({ since }), {
   *   filter: ({ id }) => id === 'ada',
   * })
   * ```
   */
  readonly filter?: ((change: C, params: Params) => boolean) | undefined
}

/** What `open` of a live query gets besides its parameters. */
export interface LiveOptions {
  /** Aborted when the reader is gone. The stream is then cancelled anyway. */
  readonly signal: AbortSignal
}

/** What `open` of live changes gets besides its parameters. */
export interface LiveChangesOptions extends LiveOptions {
  /** The versionstamp after which to begin: pass it on. Undefined: begin now. */
  readonly since: string | undefined
}

/** What every change has: a commit changes a key once. */
export interface LiveChange {
  readonly key: Key
  readonly versionstamp: string
}

/** A declaration of any kind, as a server uses it. */
export type LiveDeclaration =
  | {
      readonly kind: 'query'
      readonly params: StandardSchemaV1 | undefined
      readonly open: (params: never, options: never) => ReadableStream<unknown>
    }
  | {
      readonly kind: 'changes'
      readonly params: StandardSchemaV1 | undefined
      readonly open: (params: never, options: never) => ReadableStream<LiveChange>
      readonly filter?: ((change: never, params: never) => boolean) | undefined
    }

/** Declarations by their names. */
export type LiveDeclarations = Readonly<Record<string, LiveDeclaration>>

/** The declarations of a server: of `typeof live`. */
export type DeclarationsOf<Server> = Server extends {
  readonly declarations: infer D extends LiveDeclarations
}
  ? D
  : never

/** The names of the declarations of a kind. */
export type LiveNames<D extends LiveDeclarations, Kind> = {
  [Name in keyof D & string]: D[Name]['kind'] extends Kind ? Name : never
}[keyof D & string]

/** What a reader gives as the parameters of a declaration. */
export type ParamsInput<L extends LiveDeclaration> = InputOf<L['params']>

/** Whether a reader may leave the parameters out: there are none, or their schema needs no field. */
export type MayOmitParams<L extends LiveDeclaration> =
  undefined extends ParamsInput<L> ? true : Record<never, never> extends ParamsInput<L> ? true : false

/** The parameters of a declaration, checked. */
export type ParamsOutput<L extends LiveDeclaration> = OutputOf<L['params']>

/** What a declaration gives: a result, or a change. A list is frozen, since all who follow the same share it. */
export type ItemOf<L extends LiveDeclaration> =
  ReturnType<L['open']> extends ReadableStream<infer T>
    ? T extends readonly unknown[]
      ? Readonly<T>
      : T
    : never

type InputOf<Schema> = Schema extends StandardSchemaV1 ? StandardSchemaV1.InferInput<Schema> : undefined
type OutputOf<Schema> = Schema extends StandardSchemaV1 ? StandardSchemaV1.InferOutput<Schema> : undefined
