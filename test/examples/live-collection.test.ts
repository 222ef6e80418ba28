import { expect, it } from 'vitest'
import { runExample } from './run-example.ts'

it('holds in a collection of TanStack DB what the live query of a server has', async () => {
  expect(await runExample('live-collection')).toBe('To do: Mow the lawn\nTo do: Feed the cat, Pay the rent\n')
})
