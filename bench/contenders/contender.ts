import { readFileSync } from 'node:fs'
import type { User } from '../values/user.ts'
import type { Users } from '../values/users.ts'

/** What is still there of what was acknowledged: after a crash of the process (`normal`), and of the machine (`full`). */
export type Durability = 'normal' | 'full'

/** Something that stores users by their ids, in files of its own. */
export interface Contender {
  readonly name: string
  readonly version: string
  /** In what it differs, where that matters for what is compared. */
  readonly note?: string
  /** The durability of one that has no choice. */
  readonly onlyDurability?: Durability
  /** Opens the files in a folder, or makes them. */
  open(dir: string, users: Users, durability: Durability): Store | Promise<Store>
}

export type Entry = readonly [id: string, user: User]

/**
 * An open contender. Each method is what one writes to use it, synchronous where it is, and what it cannot do it does
 * not have. A write is done when it is acknowledged.
 */
export interface Store<Found = unknown, Listed = Found> {
  get(id: string): Found | Promise<Found>
  userOf(found: Found): User | null | undefined
  /** Any number of ids; one snapshot. */
  getMany?(ids: readonly string[]): readonly Found[] | Promise<readonly Found[]>
  set(id: string, user: User): unknown
  /** Writes that are independent of one another, where one does not call `set` for each of them. */
  setsAtOnce?(entries: readonly Entry[]): unknown
  /** All or none. */
  atomic?(entries: readonly Entry[]): unknown
  /** Swaps the ages of two users that nobody may change meanwhile, and gives the sum of the ages. */
  swapAges?(a: string, b: string): number | Promise<number>
  /** All users. */
  list(): Iterable<Listed> | AsyncIterable<Listed>
  userOfListed(listed: Listed): User
  load(entries: Iterable<Entry>): unknown
  watch?(id: string): Watcher
  close(): unknown
}

/** Closes a store that an AsyncDisposableStack has adopted. */
export const closeStore = async (store: { close(): unknown }): Promise<void> => void (await store.close())

/** One who watches a user. The first that it sees is the state at its start. */
export interface Watcher {
  next(): Promise<User | null | undefined>
  stop(): unknown
}

export function watcherOf<Item>(
  stream: ReadableStream<Item>,
  userOf: (item: Item) => User | null | undefined,
): Watcher {
  const reader = stream.getReader()
  return {
    async next() {
      const { done, value } = await reader.read()
      return done ? undefined : userOf(value)
    },
    stop: () => reader.cancel(),
  }
}

/** Swaps the ages of two loaded users in place, and gives their sum. */
export function swapAges(a: User, b: User): number {
  const { age } = a
  a.age = b.age
  b.age = age
  return a.age + b.age
}

/** The version of a package that the project has installed, or of one of bench/packages. */
export const versionOf = (name: string): string => readVersion(`../../node_modules/${name}/`)
export const versionOfAlternative = (name: string): string => readVersion(`../packages/node_modules/${name}/`)

const readVersion = (folder: string): string =>
  JSON.parse(readFileSync(new URL(`${folder}package.json`, import.meta.url), 'utf8')).version
