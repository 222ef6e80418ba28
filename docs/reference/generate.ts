import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { referencePages } from './reference.ts'

/** Writes docs/api anew. */
const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = join(root, 'docs/api')
const pages = referencePages(root)
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
for (const [name, text] of pages) writeFileSync(join(folder, name), text)
