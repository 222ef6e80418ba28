import type { Chapter } from '../chapter.ts'

export const atomic: Chapter = {
  title: 'Atomic operations: all of it, or a conflict and nothing',
  async tell(atlas, show) {
    const key = ['countries', 'ZZ', 'cities', 1] as const
    const read = await atlas.get(key)
    if (read.value === null) throw new Error('the chapter about writing comes first')
    const city = read.value

    await show(() =>
      atlas
        .atomic()
        .check(read)
        .set(key, { ...city, name: 'Cleito' })
        .set(['visits', 'renamed by'], 'Plato')
        .commit(),
    )
    await show(() =>
      atlas
        .atomic()
        .check(read)
        .set(key, { ...city, name: 'Evenor' })
        .set(['visits', 'renamed by'], 'Critias')
        .commit(),
    )
    await show(() => atlas.get(['visits', 'renamed by']))
  },
}
