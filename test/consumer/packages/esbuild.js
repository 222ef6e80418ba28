import { build } from 'esbuild'

const [entry, outfile] = process.argv.slice(2)
await build({
  entryPoints: [entry],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  external: ['better-sqlite3'],
  logLevel: 'warning',
})
