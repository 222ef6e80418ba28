import type { Household } from './household.ts'

const beginning = '0'.repeat(20)

/** A letter as it was committed. */
export interface Letter {
  readonly number: number
  readonly from: string
  readonly versionstamp: string
}

/**
 * Answers each letter of another with the next one, up to number `last`, and gives all of them in the order in which they were
 * committed. Whoever is to begin writes number 1 without having been asked.
 */
export async function correspond(db: Household, me: string, last: number, begins = false): Promise<Letter[]> {
  const { letters } = db.repositories
  const seen: Letter[] = []
  if (begins) await letters.insert(1, { from: me })
  for await (const { id, value, versionstamp } of letters.changes({ since: beginning })) {
    const letter = { number: Number(id), from: value!.from, versionstamp }
    seen.push(letter)
    if (letter.number === last) break
    if (letter.from !== me) await letters.insert(letter.number + 1, { from: me })
  }
  return seen
}
