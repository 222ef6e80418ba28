import { basename, dirname } from 'node:path'
import { build } from 'vite'

const [entry, outfile] = process.argv.slice(2)
await build({
  root: dirname(entry),
  configFile: false,
  logLevel: 'warn',
  ssr: { noExternal: true, external: ['better-sqlite3'] },
  build: {
    ssr: entry,
    outDir: dirname(outfile),
    emptyOutDir: false,
    rolldownOptions: { output: { entryFileNames: basename(outfile) } },
  },
})
