import type { Key, KeyPart } from '../key.types.ts'

/**
 * Keys of one shape: `'*'` stands for exactly one part of any kind, every other part for itself. Where several patterns
 * match a key, the one counts that is literal at the first part in which they differ.
 */
export type Pattern = readonly KeyPart[]

/**
 * The keys that a pattern matches.
 *
 * ```ts
 * KeyOf<readonly ['users', '*']> // readonly ['users', KeyPart]
 * ```
 */
export type KeyOf<P extends Pattern> = { readonly [I in keyof P]: '*' extends P[I] ? KeyPart : P[I] }

/** What fills the wildcards of a pattern: `undefined` for none, one part for one, a tuple for several. */
export type IdOf<P extends Pattern> = number extends P['length']
  ? KeyPart | Key | undefined
  : IdOfWildcards<WildcardParts<P>>

/** The tuples of leading ids of a pattern, from none up to all but the last. */
export type PrefixIdsOf<P extends Pattern> = number extends P['length'] ? Key : Prefixes<WildcardParts<P>>

/**
 * The name of a pattern: the words of its string parts in camelCase; `never` where there are none.
 *
 * ```ts
 * NameOf<readonly ['users', '*', 'blog-posts', '*']> // 'usersBlogPosts'
 * ```
 */
export type NameOf<P extends Pattern> = number extends P['length'] ? string : NameOfWords<Words<P>>

type WildcardParts<P extends Pattern> = P extends readonly [infer Part, ...infer Rest extends Pattern]
  ? Part extends '*'
    ? readonly [KeyPart, ...WildcardParts<Rest>]
    : WildcardParts<Rest>
  : readonly []

type IdOfWildcards<Parts extends Key> = Parts extends readonly []
  ? undefined
  : Parts extends readonly [KeyPart]
    ? KeyPart
    : Parts

type Prefixes<Parts extends Key> = Parts extends readonly [KeyPart, ...infer Rest extends Key]
  ? Rest extends readonly []
    ? readonly []
    : readonly [...Rest] | Prefixes<Rest>
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
