import { type User, type UserSize, userWithNotes } from './user.ts'

/** How many different values there are, to be used in turn. */
const different = 1_000

/** A stride that shares no factor with a number of users visits all of them, in an order that no file knows. */
const stride = 7_919

/** The users of a size, and the ids under which they are stored: the same in every run. */
export class Users {
  readonly size: UserSize
  readonly storedIds: readonly string[]
  readonly #values: readonly User[]

  constructor(size: UserSize) {
    this.size = size
    this.storedIds = Array.from({ length: size.stored }, (_, index) => idAt(index))
    this.#values = Array.from({ length: different }, (_, index) => userWithNotes(index, size.notes))
  }

  /** What a value takes as JSON, in bytes. */
  get bytes(): number {
    return Math.round(JSON.stringify(this.#values).length / this.#values.length)
  }

  at(index: number): User {
    return this.#values[index % this.#values.length]!
  }

  *entries(count: number): Generator<readonly [string, User], void> {
    for (let index = 0; index < count; index++) yield [idAt(index), this.at(index)]
  }

  /** Which of the stored users is read as the `i`-th. */
  read(i: number): number {
    return (i * stride) % this.size.stored
  }

  /** The two users that the `i`-th unit of work swaps the ages of; the next one swaps them back. */
  pair(i: number): readonly [number, number] {
    const first = this.read(i >> 1)
    return [first, (first + 1) % this.size.stored]
  }

  /** Ids to write to, without end: by turns one that is stored, in random order, and a new one. */
  *idsToWrite(): Generator<string, never> {
    for (let index = 0; ; index++) {
      yield this.storedIds[this.read(index)]!
      yield idAt(this.size.stored + ((index * stride) % 1_000_003))
    }
  }

  /** The sum of the ages of these users, which tells whether they are what was read. */
  sumOfAges(indexes: Iterable<number>): number {
    let sum = 0
    for (const index of indexes) sum += this.at(index).age
    return sum
  }
}

const idAt = (index: number): string => `user-${String(index).padStart(8, '0')}`
