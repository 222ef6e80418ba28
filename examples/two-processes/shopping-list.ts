import type { Household } from './household.ts'

/** What others do between the reading and the writing. */
type Meanwhile = () => Promise<unknown>
const nothing: Meanwhile = async () => {}

/** Reads the list and writes it back with one item more. The last write wins: what was added in between is lost. */
export async function addBlindly(
  { repositories: { lists } }: Household,
  list: string,
  item: string,
  meanwhile = nothing,
): Promise<void> {
  const { value } = await lists.get(list)
  await meanwhile()
  await lists.set(list, { items: [...(value?.items ?? []), item] })
}

/** Writes the list if it is still the one that was read, else reads again. Gives how many attempts it took. */
export async function addWithCheck(
  db: Household,
  list: string,
  item: string,
  meanwhile = nothing,
): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const entry = await db.repositories.lists.get(list)
    if (attempt === 1) await meanwhile()
    const items = [...(entry.value?.items ?? []), item]
    const { ok } = await db.atomic().check(entry).set(entry.key, { items }).commit()
    if (ok) return attempt
  }
}
