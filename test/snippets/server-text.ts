/** What programs of the pages do that is of files, and why they are not run on PostgreSQL: `docs/drivers.md` lists these. */
const ofFiles: readonly (readonly [reason: string, what: RegExp])[] = [
  [
    'a server has options, backups and checks of its own',
    /\bdurability:|\bchecksums:|engine: 'node:sqlite'|\.backup\(/,
  ],
  ['Drizzle for SQLite answers at once, by functions of its own', /\.as\('sqlite'\)|\bnames\.all\(\)/],
  ['a thread opens the file of another one by its path', /new Worker\(/],
  [
    'an HTTP agent does not wait until its cache has an answer, which is there at once on a file',
    /cacheStore\(/,
  ],
  ['a process has one tracer, and these programs share one', /setGlobalTracerProvider/],
  ['openKv opens what it is given by itself', /valkeyrie\/deno/],
]

/** Why a program is not run on PostgreSQL; null: it is. */
export function ofFilesAlone(text: string): string | null {
  return ofFiles.find(([, what]) => what.test(text))?.[0] ?? null
}

/** The program as it runs on a server, with `valkeyrie` from this module. Each engine has SQL, plans and pages of its own: those are not compared. */
export function serverText(text: string, moduleUrl: string): string {
  return text
    .replace(/ from 'valkeyrie'$/gm, ` from '${moduleUrl}'`)
    .replace(/ \/\/ => (`select …|\['S(EARCH|CAN)|4096).*$/gm, '')
}
