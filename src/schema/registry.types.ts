// How a key finds its definition, in types: one recursion over the list of definitions matches keys, names and values.
import type { Buffer } from 'node:buffer'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Key, KeyPart } from '../contract/key.types.ts'
import type { IdOf, KeyOf, Pattern, PlainPattern, Wildcard } from '../key/pattern.types.ts'
import type { Selector } from '../key/range.ts'
import type { MissingEntry } from '../value/keyed-entry.ts'
import type { KvU64 } from '../value/kv-u64.ts'
import type { AnyDefinition } from './definition.types.ts'

/** The definitions that a database is opened with, as a type: the parameter `R` of the others. */
export type Definitions = readonly AnyDefinition[]

// ---- one definition

/** The type that reads return for the values of a definition. */
export type OutputOf<D extends AnyDefinition> = StandardSchemaV1.InferOutput<D['schema']>

/** The type that writes take for the values of a definition. */
export type InputOfDefinition<D extends AnyDefinition> = StandardSchemaV1.InferInput<D['schema']>

/** What fills the wildcards of a definition's pattern. */
export type IdOfDefinition<D extends AnyDefinition> = IdOf<D['pattern']>

/** The keys that a definition's pattern matches. */
export type KeyOfDefinition<D extends AnyDefinition> = KeyOf<D['pattern']>

// ---- entries

/** A value with its key, as a read by key returns it. In a unit of work, assigning to `value` writes it. */
export interface KeyEntry<K extends Key = Key, V = unknown> {
  /** Its key. */
  readonly key: K
  /** The stored value. */
  value: V
  /** The versionstamp of the commit that wrote it: 20 lower-case hex digits. */
  readonly versionstamp: string
  /** When the value expires, in milliseconds since the epoch; null: never. Not enumerable, so not part of the entry's JSON. */
  readonly expiresAt: number | null
}

/** The result of reading one key: its entry, with nulls if there is no value. */
export type KeyEntryMaybe<K extends Key = Key, V = unknown> = KeyEntry<K, V> | MissingEntry<K>

/**
 * A `KeyEntry`, named by the types of its key and its value, or by that of its value alone: `Entry<User>` has any key. One type
 * that is a key, as an array of strings is, names the key: write `Entry<Key, string[]>` for such a value.
 */
export type Entry<KeyOrValue = Key, V = ValueAlone<KeyOrValue>> = KeyEntry<KeyGiven<KeyOrValue>, V>

/** A `KeyEntryMaybe`, named as `Entry` is: `EntryMaybe<User>` is the result of reading any key whose value is a `User`. */
export type EntryMaybe<KeyOrValue = Key, V = ValueAlone<KeyOrValue>> = KeyEntryMaybe<KeyGiven<KeyOrValue>, V>

type KeyGiven<KeyOrValue> = [KeyOrValue] extends [Key] ? KeyOrValue : Key

type ValueAlone<KeyOrValue> = [KeyOrValue] extends [Key] ? unknown : KeyOrValue

// ---- definitions by name and pattern

export type DefinitionByName<R extends Definitions, Name extends string> = NamedOf<R[number], Name>

type NamedOf<D extends AnyDefinition, Name> = D extends unknown ? (D['name'] extends Name ? D : never) : never

export type DefinitionByPattern<R extends Definitions, P extends Pattern> = PatternedOf<
  R[number],
  PlainPattern<P>
>

/** The definition that a pattern names; if the patterns are only known at run time, any of them. */
export type DefinitionNamed<
  R extends Definitions,
  P extends Pattern,
> = number extends R[number]['pattern']['length'] ? R[number] : DefinitionByPattern<R, P>

type PatternedOf<D extends AnyDefinition, P extends Pattern> = D extends unknown
  ? [PlainPattern<D['pattern']>, P] extends [P, PlainPattern<D['pattern']>]
    ? D
    : never
  : never

/** `D`, or what is wrong with adding it to `R`: its name or pattern is taken. What only the running program knows, it checks. */
export type NewDefinition<R extends Definitions, D extends AnyDefinition> =
  IsOpen<D['name']> extends true
    ? D
    : [D['name']] extends [never]
      ? { error: 'a pattern without words gives the repository no name: add one in its options' }
      : D['name'] extends LiteralName<R[number]>
        ? { error: `two schemas are named '${D['name']}': give one of them another name in its options` }
        : [SamePattern<R, D['pattern']>] extends [never]
          ? D
          : {
              error: `'${D['name']}' has the same pattern as '${SamePattern<R, D['pattern']>['name']}': drop one`
            }

type LiteralName<D extends AnyDefinition> = D extends unknown
  ? IsOpen<D['name']> extends true
    ? never
    : D['name']
  : never

/** Whether a name is not one literal or a union of them, but a `string`, or one that begins so. */
type IsOpen<Name extends string> = [Name] extends [never]
  ? false
  : Record<never, never> extends Record<Name, 1>
    ? true
    : false

type SamePattern<R extends Definitions, P extends Pattern> = number extends P['length']
  ? never
  : false extends { [I in keyof P]: IsLiteral<P[I]> }[number]
    ? never
    : DefinitionByPattern<R, P>

/**
 * `New`, each checked against `R` and those before it, as {@link NewDefinition} does. What is checked is carried along, because the
 * compiler goes 1,000 deep into a tail call, and 50 into any other.
 */
export type NewDefinitions<
  R extends Definitions,
  New extends Definitions,
  Checked extends readonly unknown[] = readonly [],
> = New extends readonly [infer D extends AnyDefinition, ...infer Rest extends Definitions]
  ? NewDefinitions<readonly [...R, D], Rest, readonly [...Checked, NewDefinition<R, D>]>
  : Checked extends readonly []
    ? New
    : readonly [...Checked, ...New]

// ---- values by key

/**
 * The result of reading a key of type `K`: the output of the most specific pattern that matches. If `K` leaves open which pattern
 * that is, as `['users', string]` does between `['users', '*']` and `['users', 'me']`, the union of the possible outputs;
 * `unknown` if perhaps no pattern matches.
 */
export type ValueOf<R extends Definitions, K extends Key> = K extends unknown
  ? IsPattern<K> extends true
    ? PatternAsKey
    : Outputs<Winners<R, K>>
  : never

/**
 * What a write to a key of type `K` takes: the input of the most specific pattern that matches. If `K` leaves open which pattern
 * that is, the intersection of the possible inputs. `unknown` if no pattern matches.
 */
export type InputOf<R extends Definitions, K extends Key> = (
  K extends unknown
    ? (input: IsPattern<K> extends true ? PatternAsKey : Inputs<Winners<R, K>, K>) => void
    : never
) extends (input: infer Input) => void
  ? Input
  : never

/** What stands instead of a value where the key is a pattern, which is a TypeError. */
interface PatternAsKey {
  readonly error: "'*' stands for any part in a pattern: name that part in a key"
}

/** Makes the parameter of a counter's key an error message where its schema has no KvU64. */
export type CounterCheck<R extends Definitions, K extends Key> = CounterIn<ValueOf<R, K>>

/** `unknown` if a value of this type may be a KvU64; otherwise an error message. */
export type CounterIn<V> = [Extract<V, KvU64>] extends [never]
  ? [KvU64] extends [V]
    ? unknown
    : { error: 'sum, max and min need a KvU64: the schema of this key has none' }
  : unknown

/** Whether a part of the key surely is not of the kind that the pattern declares for it: to write it is a TypeError. */
type IsOtherKind<K extends Key, P extends Pattern> = true extends {
  [I in keyof P]: [P[I], I] extends [Wildcard<infer T extends KeyPart>, keyof K]
    ? [Extract<K[I & keyof K], T>] extends [never]
      ? true
      : false
    : false
}[number]
  ? true
  : false

type IsPattern<K extends Key> =
  IsAny<K[number]> extends true ? false : [Extract<K[number], '*'>] extends [never] ? false : true

type IsAny<T> = 0 extends 1 & T ? true : false

/** A key whose parts of type `any`, as JSON gives them, may be any part. */
type WithoutAny<K extends Key> =
  IsAny<K[number]> extends true ? { [I in keyof K]: IsAny<K[I]> extends true ? KeyPart : K[I] } : K

type Outputs<D> = D extends AnyDefinition ? OutputOf<D> : unknown

type Inputs<D, K extends Key> = (
  D extends AnyDefinition
    ? (
        input: IsOtherKind<K, D['pattern']> extends true
          ? { error: `the ids of '${D['name']}' are declared with another kind` }
          : InputOfDefinition<D>,
      ) => void
    : never
) extends (input: infer Input) => void
  ? Input
  : never

/** The definitions that a key of type `K` may belong to, and `undefined` if it may belong to none. */
type Winners<R extends Definitions, K extends Key> = number extends K['length']
  ? undefined
  : WinnersAmong<Candidates<R[number], Readonly<WithoutAny<K>>>>

type WinnersAmong<C extends Candidate> = [C] extends [never]
  ? undefined
  : [C] extends [Candidate<AnyDefinition, true>]
    ? Best<Contenders<C>>
    : [Extract<C, Candidate<AnyDefinition, true>>] extends [never]
      ? C['definition'] | undefined
      : WinnersOver<C, Best<Contenders<Extract<C, Candidate<AnyDefinition, true>>>>>

/** The best of the sure matches wins, unless a possible match is more specific. */
type WinnersOver<C extends Candidate, B extends AnyDefinition> =
  | B
  | (C extends Candidate<infer D, false>
      ? IsBefore<D['pattern'], B['pattern']> extends true
        ? D
        : never
      : never)

/** A definition that matches every key of a type (`sure`), or some of them. */
interface Candidate<D extends AnyDefinition = AnyDefinition, Sure extends boolean = boolean> {
  readonly definition: D
  readonly sure: Sure
}

// One comparison of whole tuples for each definition, without recursion: with many schemas, look-ups cost exactly this.
type Candidates<D, K> = D extends AnyDefinition
  ? OpenKey<D['pattern']> extends K
    ? Candidate<D, K extends SureKey<D['pattern']> ? true : false>
    : never
  : never

/** A supertype of all keys, and leading parts of keys, that the pattern may match. */
type OpenKey<P extends Pattern> = {
  readonly [I in keyof P]: PartOf<P[I], never, P[I] extends Uint8Array ? Buffer<ArrayBuffer> : never>
}

/** A type that only keys extend which the pattern surely matches. */
type SureKey<P extends Pattern> = { readonly [I in keyof P]: PartOf<P[I], KeyPart, never> }

/** A literal part stands for itself; a type with many values, such as `Uint8Array`, for one of them. */
type PartOf<Part, Wildcard, Wide> = [Part] extends ['*']
  ? Wildcard
  : IsLiteral<Part> extends true
    ? Part
    : Wide

type IsLiteral<Part> = [Part] extends [Uint8Array]
  ? false
  : string extends Part
    ? false
    : number extends Part
      ? false
      : bigint extends Part
        ? false
        : boolean extends Part
          ? false
          : true

/** A definition, with the parts of its pattern that are still to be compared. */
interface Contender<Rest extends Pattern = Pattern, D extends AnyDefinition = AnyDefinition> {
  readonly rest: Rest
  readonly definition: D
}

type Contenders<C extends Candidate> = C extends Candidate<infer D> ? Contender<D['pattern'], D> : never

/** The most specific of the patterns that match the same keys: the literal one at the first part where they differ. */
type Best<C extends Contender> = [C] extends [Contender<readonly []>]
  ? C['definition']
  : [LiteralFirst<C>] extends [never]
    ? Best<Tails<C>>
    : Best<Tails<LiteralFirst<C>>>

type LiteralFirst<C extends Contender> = C extends unknown ? (C['rest'][0] extends '*' ? never : C) : never

type Tails<C extends Contender> =
  C extends Contender<readonly [KeyPart, ...infer Rest extends Pattern], infer D> ? Contender<Rest, D> : never

type IsBefore<A extends Pattern, B extends Pattern> = A extends readonly [
  infer X,
  ...infer Xs extends Pattern,
]
  ? B extends readonly [infer Y, ...infer Ys extends Pattern]
    ? X extends '*'
      ? Y extends '*'
        ? IsBefore<Xs, Ys>
        : false
      : Y extends '*'
        ? true
        : IsBefore<Xs, Ys>
    : false
  : false

// ---- values by selector, and tuples of keys

/**
 * The values that `list` returns: the outputs of all patterns that can occur under the prefix, or under the literal parts that
 * `start` and `end` share; `unknown` if none can. Keys in the range that no pattern matches are ignored: their values are typed
 * like the others.
 */
export type SelectedValue<R extends Definitions, S extends Selector> = S extends {
  readonly prefix: infer P extends Key
}
  ? ValueUnder<R, P>
  : S extends { readonly start: infer Start extends Key; readonly end: infer End extends Key }
    ? ValueUnder<R, CommonPrefix<Start, End>>
    : never

type ValueUnder<R extends Definitions, P extends Key> = number extends P['length']
  ? unknown
  : Outputs<Under<R[number], P> extends infer D ? ([D] extends [never] ? undefined : D) : never>

/** The definitions with keys that begin with `P` and are longer. */
type Under<D, P extends Key> = D extends AnyDefinition
  ? OpenKey<D['pattern']> extends readonly [...P, unknown, ...unknown[]]
    ? D
    : never
  : never

/** The literal parts that both keys begin with, and so does every key between them; fewer than all of `A`. */
type CommonPrefix<A extends Key, B extends Key> = A extends readonly [
  infer X extends KeyPart,
  KeyPart,
  ...infer _ extends Key,
]
  ? B extends readonly [infer Y, ...infer Ys extends Key]
    ? [IsLiteral<X>, X, Y] extends [true, Y, X]
      ? A extends readonly [KeyPart, ...infer Xs extends Key]
        ? readonly [X, ...CommonPrefix<Xs, Ys>]
        : never
      : readonly []
    : readonly []
  : readonly []

/** Each item of a watch of several keys: their entries, key by key. */
export type WatchEntries<R extends Definitions, Keys extends readonly Key[]> = {
  -readonly [I in keyof Keys]: KeyEntryMaybe<Keys[I], ValueOf<R, Keys[I]>>
}
