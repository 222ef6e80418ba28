import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { runSuite } from './suite.ts'

const folder = mkdtempSync(join(tmpdir(), 'valkeyrie-conformance-'))
let files = 0

afterAll(() => rmSync(folder, { recursive: true }))

runSuite({ name: 'file', path: () => join(folder, `${files++}.db`) })
