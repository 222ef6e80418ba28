import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cli, run } from '../migrate/project.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const path = temporaryFolder()
const disk = path('disk')

/** Why there is no small disk; undefined if there is one. */
const reason = obstacle()

function obstacle(): string | undefined {
  if (process.platform !== 'linux') return 'only Linux has a disk in memory of a size that one asks for'
  if (process.geteuid?.() !== 0) return 'only root may mount a disk'
  mkdirSync(disk)
  try {
    mount()
    // Where all tests are left out, nothing would take it away.
    unmount()
    return undefined
  } catch (error) {
    return `a disk cannot be mounted: ${(error as Error).message}`
  }
}

function mount(): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', disk], { stdio: 'pipe' })
}

function unmount(): void {
  execFileSync('umount', [disk])
}

const valkeyrie = async (...args: readonly string[]) => {
  const { code, text } = await run(path('.'), [cli, ...args, '--json'])
  return { code, told: JSON.parse(text) as { error?: { code: string; message: string } } }
}

/** What is in a database. */
async function rowsIn(file: string): Promise<number> {
  expect(await Valkeyrie.verify(file)).toMatchObject({ sound: true })
  await using db = await Valkeyrie.inspect(file, { readOnly: true })
  let rows = 0
  for await (const _ of db.list({ prefix: [] })) rows += 1
  return rows
}

describe.skipIf(reason !== undefined)(
  `on a disk of 3 MB${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    const source = path('source.db')
    const rows = 3_000
    const on = (name: string) => join(disk, name)

    beforeAll(async () => {
      mount()
      await using db = await Valkeyrie.open(source)
      await Promise.all(Array.from({ length: rows }, (_, n) => db.set(['n', n], 'x'.repeat(2_000))))
    })
    afterAll(unmount)

    it.each([
      ['backup', () => [source, on('backup.db')], 'STORAGE'],
      ['copy', () => [source, on('copy.db')], 'STORAGE'],
      ['restore', () => [source, on('restored.db')], 'STORAGE'],
      ['export', () => [source, '--output', on('rows.ndjson')], 'ENOSPC'],
    ] as const)('%s tells that there is no room, and leaves nothing', async (command, args, code) => {
      const ended = await valkeyrie(command, ...args())
      expect(ended).toMatchObject({ code: 1, told: { error: { code } } })
      const [name] = /(?<=disk\/).*/.exec(args().at(-1)!)!
      expect(ended.told.error!.message).toMatch(
        new RegExp(`^The disk (has no|is full: make) room for ${on(name)}\\b`),
      )
      expect(readdirSync(disk)).toEqual([])
      expect(await rowsIn(source)).toBe(rows)
    })

    it('a restore leaves the database that is there', async () => {
      const file = on('there.db')
      const db = await Valkeyrie.open(file)
      await db.set(['a'], 1)
      await db.close()
      expect(await valkeyrie('restore', source, file)).toMatchObject({
        code: 1,
        told: { error: { code: 'STORAGE' } },
      })
      expect(readdirSync(disk)).toEqual(['there.db'])
      expect(await rowsIn(file)).toBe(1)
      execFileSync('rm', [file])
    })

    it('a database cannot be opened without room, and is whole once there is some', async () => {
      const [file, ballast] = [on('opened.db'), on('ballast')]
      const db = await Valkeyrie.open(file)
      await db.set(['a'], 1)
      await db.close()
      execFileSync('sh', ['-c', 'cat /dev/zero > "$0" || :', ballast], { stdio: 'ignore' })
      await expect(Valkeyrie.open(file)).rejects.toMatchObject({
        code: 'DATABASE_OPEN',
        message: expect.stringContaining('the disk is full: make room first'),
      })
      rmSync(ballast)
      expect(await rowsIn(file)).toBe(1)
      for (const name of readdirSync(disk)) rmSync(on(name))
    })

    it('an import names the file of refused rows that has no room', async () => {
      const [file, text, refused] = [path('refusing.db'), path('refused.ndjson'), on('refused.ndjson')]
      writeFileSync(text, `{"key":["n"],"text":"${'x'.repeat(50_000)}"}\n`.repeat(100))
      const ended = await valkeyrie('import', file, text, '--skip-invalid', refused)
      expect(ended).toEqual({
        code: 1,
        told: { error: { code: 'ENOSPC', message: `The disk is full: make room for ${refused}` } },
      })
      expect(readdirSync(disk)).toEqual([])
    })

    it('an import keeps what it has reported, and is finished once there is room', async () => {
      const [file, text] = [on('imported.db'), path('rows.ndjson')]
      writeFileSync(
        text,
        Array.from({ length: rows }, (_, n) => `{"key":["n",${n}],"value":"${'x'.repeat(2_000)}"}\n`).join(
          '',
        ),
      )
      const ended = await valkeyrie('import', file, text)
      expect(ended).toMatchObject({ code: 1, told: { error: { code: 'STORAGE' } } })
      expect(ended.told.error!.message).toBe(
        `The disk is full: make room for ${file}, and run it again to finish (SQLITE_FULL)`,
      )
      execFileSync('mount', ['-o', 'remount,size=40m', disk])
      const stored = await rowsIn(file)
      expect(stored).toBeLessThan(rows)
      expect(await valkeyrie('import', file, text)).toMatchObject({
        code: 0,
        told: { imported: rows - stored, unchanged: stored },
      })
      expect(await rowsIn(file)).toBe(rows)
    })

    it('a database on a disk that cannot be written says what to do instead', async () => {
      const file = on('kept.db')
      await (await Valkeyrie.open(file)).close()
      execFileSync('mount', ['-o', 'remount,ro', disk])
      const told = { code: 'DATABASE_OPEN', message: expect.stringMatching(/cannot be written.*: copy it/) }
      await expect(Valkeyrie.open(file)).rejects.toMatchObject(told)
      await expect(Valkeyrie.open(file, { readOnly: true })).rejects.toMatchObject(told)
      expect(await valkeyrie('stats', file)).toMatchObject({ code: 1, told: { error: told } })
    })
  },
)
