import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withOperatorTable } from './operator-table.ts'
import { referencePages } from './reference.ts'
import { apiReport } from './report.ts'

/** Writes docs/api and the API report again, and the operators in docs/queries.md. */
const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = join(root, 'docs/api')
const pages = referencePages(root)
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
for (const [name, text] of pages) writeFileSync(join(folder, name), text)

const queries = join(root, 'docs/queries.md')
writeFileSync(queries, withOperatorTable(readFileSync(queries, 'utf8')))

writeFileSync(join(root, 'docs/reference/api-report.md'), apiReport(root))
