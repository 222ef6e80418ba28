import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { rolldown } from 'rolldown'
import { expect, it } from 'vitest'

const source = (name: string) => join(import.meta.dirname, '../../src', `${name}.ts`)

/** What a bundler for browsers makes of a program, compressed, and what it has not found. */
async function bundled(text: string) {
  const missing: string[] = []
  await using bundle = await rolldown({
    input: 'program',
    platform: 'browser',
    external: ['react'],
    onLog: (_, { code, message }) => {
      if (code !== 'CIRCULAR_DEPENDENCY') missing.push(message)
    },
    plugins: [
      {
        name: 'program',
        resolveId: (id) => (id === 'program' ? id : null),
        load: (id) => (id === 'program' ? text : null),
      },
    ],
  })
  const { output } = await bundle.generate({ minify: true })
  const code = output.map((chunk) => (chunk.type === 'chunk' ? chunk.code : '')).join('')
  return { code, missing, bytes: gzipSync(code).length }
}

const entries = [
  ['client', 'createClient', 9_000],
  ['react', 'useLiveQuery, useSuspenseLiveQuery', 1_000],
] as const

it('the client and the hooks run in browsers, and add little to a page', async () => {
  for (const [name, exports, most] of entries) {
    const text = `import { ${exports} } from ${JSON.stringify(source(name))}\nglobalThis.used = [${exports}]`
    const { code, missing, bytes } = await bundled(text)
    expect(missing).toEqual([])
    expect(code).not.toMatch(/node:|\bprocess\b|\brequire\b|\bimport\(/)
    expect(bytes).toBeLessThan(most)
  }
})
