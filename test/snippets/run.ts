import { mkdtempSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

/** Runs the programs that its arguments name, in order, each in its own folder. */
const folder = process.cwd()
for (const file of process.argv.slice(2)) {
  process.chdir(mkdtempSync(`${folder}/`))
  await import(pathToFileURL(file).href)
}
