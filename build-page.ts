import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { build } from 'rolldown'

/** Writes the page of the studio: a script, a style sheet and what is served as it is. */
export async function buildPage(source: string, target: string): Promise<void> {
  const from = (name: string) => join(import.meta.dirname, source, name)
  const to = (name: string) => join(import.meta.dirname, target, name)
  await build({
    platform: 'browser',
    input: { studio: from('main.tsx') },
    // What the codec of values takes of Node.js.
    resolve: {
      alias: {
        'node:buffer': from('value/node-buffer.ts'),
        'node:util': from('value/node-util.ts'),
        'node:util/types': from('value/node-types.ts'),
      },
    },
    transform: {
      target: 'es2023',
      inject: { Buffer: [from('value/node-buffer.ts'), 'Buffer'] },
    },
    output: {
      dir: to('.'),
      entryFileNames: '[name].js',
      codeSplitting: false,
      minify: true,
      comments: { legal: false },
    },
  })
  const uplot = createRequire(import.meta.url).resolve('uplot/dist/uPlot.min.css')
  writeFileSync(
    to('studio.css'),
    `${readFileSync(uplot, 'utf8')}\n${readFileSync(from('studio.css'), 'utf8')}`,
  )
  for (const name of ['index.html', 'favicon.svg']) copyFileSync(from(name), to(name))
}
