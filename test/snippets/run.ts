import { pathToFileURL } from 'node:url'

/** Runs the programs that its arguments name, in order. */
for (const file of process.argv.slice(2)) await import(pathToFileURL(file).href)
