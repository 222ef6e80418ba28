import { expect, it } from 'vitest'
import { enginesOf, runExample } from './run-example.ts'

it.each(enginesOf('live-collection'))(
  'holds in a collection of TanStack DB what the live query of a server has, on %s',
  async (engine) => {
    expect(await runExample('live-collection', engine)).toBe(
      'To do: Mow the lawn\nTo do: Feed the cat, Pay the rent\n',
    )
  },
)
