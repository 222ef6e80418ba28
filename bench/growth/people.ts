import { z } from 'zod'
import { userSchema, userWithNotes } from '../values/user.ts'

/** A user with a score, by which they are indexed: no two have the same. */
export const personSchema = userSchema.extend({ score: z.int() })

export type Person = z.infer<typeof personSchema>

/** A stride that shares no factor with a number of people visits all of them, in an order that no file knows. */
const stride = 7_919

/** So many people: the same in every run. */
export class People {
  readonly rows: number
  readonly #scores: Int32Array

  constructor(rows: number) {
    this.rows = rows
    this.#scores = Int32Array.from({ length: rows }, (_, index) => scoreAt(index)).sort()
  }

  at(index: number): Person {
    return { ...userWithNotes(index, 0), score: scoreAt(index) }
  }

  idAt(index: number): string {
    return `user-${String(index).padStart(8, '0')}`
  }

  *entries(): Generator<readonly [string, Person], void> {
    for (let index = 0; index < this.rows; index++) yield [this.idAt(index), this.at(index)]
  }

  /** Whom the `i`-th read finds, where `behind` more come after. */
  read(i: number, behind = 0): number {
    return (i * stride) % (this.rows - behind)
  }

  /** The scores in order from this place on. */
  scores(place: number, count: number): readonly number[] {
    return [...this.#scores.subarray(place, place + count)]
  }
}

/** A generator of pseudo-random numbers: its modulus is prime, so that they do not repeat. */
const scoreAt = (index: number) => Number((BigInt(index + 1) * 48_271n) % 2_147_483_647n)
