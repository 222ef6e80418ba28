import { build } from 'esbuild'

const [entry, outfile] = process.argv.slice(2)
await build({
  entryPoints: [entry],
  outfile,
  bundle: true,
  // With names cut short: nothing may depend on what a class or a function is called.
  minify: true,
  platform: 'node',
  format: 'esm',
  external: ['better-sqlite3'],
  logLevel: 'warning',
})
