import { pathToFileURL } from 'node:url'

/** Runs the programs that are its arguments, one after the other. */
for (const file of process.argv.slice(2)) await import(pathToFileURL(file).href)
