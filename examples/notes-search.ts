/**
 * A search field on the command line: notes in a file, found by their words while you type, with the hits in bold.
 *
 *     node examples/notes-search.ts [words…]
 */
import { styleText } from 'node:util'
import { Valkeyrie } from 'valkeyrie'
import { z } from 'zod'

const note = z.object({ title: z.string(), text: z.string() })
await using db = await Valkeyrie.withSchema(['notes', '*'], note, {
  search: { on: ['title', 'text'], weights: { title: 3 } },
}).open()
const { notes } = db.repositories

await notes.insertMany([
  [1, { title: 'Sourdough', text: 'Feed the starter in the evening. Bake in the morning, with much steam.' }],
  [2, { title: 'Morning run', text: 'Along the canal, past the bakery, 5 km.' }],
  [3, { title: 'Bookshelf', text: 'Oak boards, 25 mm. Ask the carpenter who baked the bread.' }],
])

const typed = process.argv.slice(2)
for (const words of typed.length > 0
  ? [typed.join(' ')]
  : ['ba', 'bak', 'bake', 'bake -steam', '"the morning"']) {
  // What somebody is still typing may be the beginning of a word.
  const $search = /\p{L}$/u.test(words) ? `${words}*` : words
  const found = await notes.findMany({ where: { $search }, limit: 5, highlight: { title: true, text: 6 } })
  console.log(`${words}: ${found.length} found`)
  for (const { highlights } of found) console.log(`  ${bold(highlights.title)}: ${bold(highlights.text)}`)
}

function bold(parts: readonly { readonly text: string; readonly hit: boolean }[] | null): string {
  return (parts ?? []).map(({ text, hit }) => (hit ? styleText('bold', text) : text)).join('')
}
