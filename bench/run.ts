import { join } from 'node:path'
import { boundsOf } from './bounds/bounds.ts'
import { loadContenders } from './contenders/contenders.ts'
import { measure } from './measure.ts'
import { installPackages } from './packages/install.ts'
import { partsOf } from './report/parts.ts'
import { writePerformancePage } from './report/performance-page.ts'
import { progress } from './report/progress.ts'
import { formatSection } from './report/sections/section.ts'
import { selectionOf } from './selection.ts'

const selection = selectionOf(process.argv.slice(2))
const failedInstall = installPackages(join(import.meta.dirname, 'packages'))
if (failedInstall !== null)
  console.error(`The packages of bench/packages are not installed: ${failedInstall}`)

const { step, end } = progress()
const results = await measure(await loadContenders(), selection, step)
end()

const bounds = boundsOf(results)
const parts = partsOf(results, bounds)
for (const { section } of parts) console.log(`${formatSection(section, 2)}\n`)
if (selection.complete && failedInstall === null) {
  await writePerformancePage(parts)
  console.log('Written to docs/performance.md.')
}
// A watch of @deno/kv that was cancelled would keep the process waiting.
process.exit(bounds.some(({ holds }) => holds === false) ? 1 : 0)
