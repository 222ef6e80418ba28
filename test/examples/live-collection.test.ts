import { expect, it } from 'vitest'
import { exampleEngines, runExample } from './run-example.ts'

it.each(exampleEngines)(
  'holds in a collection of TanStack DB what the live query of a server has, on %s',
  async (engine) => {
    expect(await runExample('live-collection', engine)).toBe(
      'To do: Mow the lawn\nTo do: Feed the cat, Pay the rent\n',
    )
  },
)
