import type { Key, KeyPart } from '../contract/key.types.ts'

/**
 * Keys of one shape: `'*'` stands for exactly one part of any kind, every other part for itself. If several patterns match a key,
 * the one that is literal at the first part where they differ wins.
 */
export type Pattern = readonly KeyPart[]

/** The kind of the ids of a typed wildcard: `'bytes'` means Uint8Array. */
export type IdKind = 'string' | 'number' | 'bigint' | 'boolean' | 'bytes'

declare const idType: unique symbol

/** A wildcard for ids of one kind. Make it with `id.string()` and the like. */
export interface TypedId<T extends KeyPart = KeyPart> {
  readonly idKind: IdKind
  readonly [idType]: T
}

/** A part of a pattern, as you declare it. */
export type PatternPart = KeyPart | TypedId

/** A typed wildcard in the pattern of a definition: `'*'`, and its type says what its ids are. */
export type Wildcard<T extends KeyPart> = '*' & { readonly [idType]: T }

/** The pattern of a definition declared with these parts: `'*'` instead of each typed wildcard. */
export type PatternOf<Parts extends readonly PatternPart[]> = Parts extends Pattern
  ? Parts
  : {
      readonly [I in keyof Parts]: Parts[I] extends TypedId<infer T extends KeyPart>
        ? Wildcard<T>
        : Parts[I] extends KeyPart
          ? Parts[I]
          : never
    }

/** A pattern without the types of its wildcards. */
export type PlainPattern<P extends Pattern> = { readonly [I in keyof P]: P[I] extends '*' ? '*' : P[I] }

/**
 * The keys that a pattern matches.
 *
 * ```ts
 * KeyOf<readonly ['users', '*']> // readonly ['users', KeyPart]
 * ```
 */
export type KeyOf<P extends Pattern> = { readonly [I in keyof P]: PartOf<P[I]> }

/** The part of a key at this part of a pattern. */
type PartOf<Part> = '*' extends Part ? KeyPart : Part extends Wildcard<infer T extends KeyPart> ? T : Part

/** What fills the wildcards of a pattern: `undefined` for none, one part for one, a tuple for several. */
export type IdOf<P extends Pattern> = number extends P['length']
  ? KeyPart | Key | undefined
  : IdOfWildcards<WildcardParts<P>>

/** Like `IdOf`, for a row that `create` has made: the last id is a UUID. */
export type CreatedIdOf<P extends Pattern> = number extends P['length']
  ? IdOf<P>
  : IdOfWildcards<StringLast<WildcardParts<P>>>

/** Like `KeyOf`, for a row that `create` has made. */
export type CreatedKeyOf<P extends Pattern> = P extends readonly [
  ...infer Rest extends Pattern,
  infer Last extends KeyPart,
]
  ? Last extends '*'
    ? readonly [...KeyOf<Rest>, string]
    : readonly [...CreatedKeyOf<Rest>, Last]
  : KeyOf<P>

/** Whether the last wildcard of a pattern takes a string. */
export type TakesUuid<P extends Pattern> = number extends P['length']
  ? true
  : WildcardParts<P> extends readonly [...Key, infer Last]
    ? string extends Last
      ? true
      : false
    : true

type StringLast<Parts extends Key> = Parts extends readonly [...infer Leading extends Key, KeyPart]
  ? readonly [...Leading, string]
  : Parts

/** The tuples of leading ids of a pattern, from none up to all but the last. */
export type PrefixIdsOf<P extends Pattern> = number extends P['length'] ? Key : Prefixes<WildcardParts<P>>

/**
 * The name of a pattern: the words of its string parts in camelCase; `never` if there are none.
 *
 * ```ts
 * NameOf<readonly ['users', '*', 'blog-posts', '*']> // 'usersBlogPosts'
 * ```
 */
export type NameOf<P extends Pattern> = number extends P['length'] ? string : NameOfWords<Words<P>>

/** What fills a wildcard. */
type IdPart<Part> = Part extends Wildcard<infer T extends KeyPart> ? T : KeyPart

type WildcardParts<P extends Pattern> = P extends readonly [infer Part, ...infer Rest extends Pattern]
  ? Part extends '*'
    ? readonly [IdPart<Part>, ...WildcardParts<Rest>]
    : WildcardParts<Rest>
  : readonly []

type IdOfWildcards<Parts extends Key> = Parts extends readonly []
  ? undefined
  : Parts extends readonly [infer Part]
    ? Part
    : Parts

type Prefixes<Parts extends Key> = Parts extends readonly [...infer Leading extends Key, KeyPart]
  ? Leading extends readonly []
    ? readonly []
    : readonly [...Leading] | Prefixes<Leading>
  : readonly []

type Separator = ' ' | '-' | '_' | '.' | ':' | '/'

type Words<P extends Pattern> = P extends readonly [infer Part, ...infer Rest extends Pattern]
  ? Part extends string
    ? Part extends '*'
      ? Words<Rest>
      : [...Split<Part>, ...Words<Rest>]
    : Words<Rest>
  : []

type Split<Text extends string, Word extends string = ''> = string extends Text
  ? [string]
  : Text extends `${infer Char}${infer Rest}`
    ? Char extends Separator
      ? [...WordOf<Word>, ...Split<Rest>]
      : Split<Rest, `${Word}${Char}`>
    : WordOf<Word>

type WordOf<Word extends string> = Word extends '' ? [] : [Word]

type NameOfWords<W extends readonly string[]> = string extends W[number] ? string : CamelCase<W>

type CamelCase<W extends readonly string[]> = W extends readonly [
  infer First extends string,
  ...infer Rest extends string[],
]
  ? `${Uncapitalize<First>}${PascalCase<Rest>}`
  : never

type PascalCase<W extends readonly string[]> = W extends readonly [
  infer First extends string,
  ...infer Rest extends string[],
]
  ? `${Capitalize<First>}${PascalCase<Rest>}`
  : ''
