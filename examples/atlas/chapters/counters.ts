import { KvU64 } from 'valkeyrie'
import type { Chapter } from '../chapter.ts'

export const counters: Chapter = {
  title: 'Counters: sum, min and max of KvU64 need no reading',
  async tell(atlas, show) {
    await show(() => atlas.set(['visits', 'ZZ'], new KvU64(40n)))
    await show(() => atlas.atomic().sum(['visits', 'ZZ'], 2n).max(['visits', 'most'], 42n).commit())
    await show(() =>
      atlas.getMany([
        ['visits', 'ZZ'],
        ['visits', 'most'],
      ]),
    )
    await show(() => atlas.atomic().sum(['visits', 'ZZ'], -43n).commit())
  },
}
