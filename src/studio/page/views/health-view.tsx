// The sections of one report, together: each has its own request and is drawn nowhere else.
import { useEffect, useState } from 'preact/hooks'
import type { DatabaseStats } from '../../../driver/stats.ts'
import { ask, messageOf } from '../data/api.ts'
import { isOnServer } from '../data/catalog.ts'
import { durationText } from '../parts/countdown.tsx'

interface Migrations {
  readonly project: boolean
  readonly folder: string
  readonly applied?: readonly string[]
  readonly pending?: readonly string[]
  readonly drift?: readonly { readonly message: string }[]
}

interface Doctor {
  readonly sound: boolean
  readonly rows: number
  readonly commits: number
  readonly counts: { readonly [kind: string]: number }
  readonly advice: { readonly [kind: string]: string }
  readonly findings: readonly {
    readonly kind: string
    readonly key?: string
    readonly version?: string
    readonly message: string
  }[]
}

const mostShown = 20

/** The state of the database: its sizes, its migrations, and the findings of the doctor. */
export function HealthView() {
  const stats = useAnswer<DatabaseStats>('stats')
  const migrations = useAnswer<Migrations>('migrations')
  const doctor = useAnswer<Doctor>('doctor')
  useEffect(stats.ask, [])
  return (
    <section class="page">
      <div class="title">
        <h2>Health</h2>
        <span class="grow" />
        <button type="button" onClick={stats.ask}>
          Read the figures again
        </button>
      </div>
      <Failure of={stats.failure} />
      <div class="cards">
        {stats.answer !== null && <Sizes stats={stats.answer} />}
        <section class="card">
          <h3>Migrations</h3>
          <p class="hint">
            Compares the database with the project in the folder of the studio, whose schema modules it runs.
          </p>
          <button type="button" disabled={migrations.isAsking} onClick={migrations.ask}>
            Compare
          </button>
          <Failure of={migrations.failure} />
          {migrations.answer !== null && <MigrationsList {...migrations.answer} />}
        </section>
        <section class="card">
          <h3>Doctor</h3>
          <p class="hint">Reads the whole database. Where it is large, that takes a while.</p>
          <button type="button" disabled={doctor.isAsking} onClick={doctor.ask}>
            {doctor.isAsking ? 'Reading…' : 'Examine'}
          </button>
          <Failure of={doctor.failure} />
          {doctor.answer !== null && <Findings {...doctor.answer} />}
        </section>
      </div>
    </section>
  )
}

/** The answer of the server, on request. */
function useAnswer<T>(path: string) {
  const [answer, setAnswer] = useState<T | null>(null)
  const [failure, fail] = useState<string | null>(null)
  const [isAsking, asking] = useState(false)
  const again = () => {
    asking(true)
    ask<T>(path)
      .then(
        (told) => {
          setAnswer(told)
          fail(null)
        },
        (error: unknown) => fail(messageOf(error)),
      )
      .finally(() => asking(false))
  }
  return { answer, failure, isAsking, ask: again }
}

function Failure({ of }: { readonly of: string | null }) {
  return of === null ? null : (
    <p class="failure" role="alert">
      {of}
    </p>
  )
}

function Sizes({ stats: { repositories, indexes, log, file, expiring } }: { readonly stats: DatabaseStats }) {
  const all = Math.max(
    1,
    ...repositories.map(({ bytes }) => bytes),
    ...indexes.map(({ bytes }) => bytes ?? 0),
  )
  return (
    <>
      <section class="card">
        <h3>{isOnServer.value ? 'Tables' : 'File'}</h3>
        <Facts
          facts={[
            ...(isOnServer.value
              ? ([['tables with their indexes', bytesText(file.bytes)]] as const)
              : ([
                  ['file', bytesText(file.bytes)],
                  ['free in it', bytesText(file.freeBytes)],
                  ['write-ahead log', bytesText(file.walBytes)],
                ] as const)),
            ['commits in the log', `${log.rows.toLocaleString('en')}, ${bytesText(log.bytes)}`],
          ]}
        />
      </section>
      <section class="card">
        <h3>Expiring</h3>
        <Facts
          facts={[
            ['within a minute', expiring.minute.toLocaleString('en')],
            ['within an hour', expiring.hour.toLocaleString('en')],
            ['within a day', expiring.day.toLocaleString('en')],
            ['to be removed', expiring.expired.toLocaleString('en')],
            [
              'the next one',
              expiring.next === null ? 'never' : durationText(Math.max(0, expiring.next - Date.now())),
            ],
          ]}
        />
      </section>
      <section class="card">
        <h3>Repositories</h3>
        {largest(repositories).map(({ repository, rows, bytes }) => (
          <Bar
            key={repository}
            name={repository ?? 'other keys'}
            detail={rows === 1 ? '1 row' : `${rows.toLocaleString('en')} rows`}
            bytes={bytes}
            of={all}
          />
        ))}
        <More of={repositories} />
      </section>
      <section class="card">
        <h3>Indexes</h3>
        {largest(indexes).map(({ name, bytes, unique }) => (
          <Bar key={name} name={name} detail={unique ? 'unique' : ''} bytes={bytes ?? 0} of={all} />
        ))}
        <More of={indexes} />
      </section>
    </>
  )
}

/** The largest of those with bytes: as many as fit a glance. */
function largest<T extends { readonly bytes: number | null }>(all: readonly T[]): readonly T[] {
  return all.toSorted((a, b) => (b.bytes ?? 0) - (a.bytes ?? 0)).slice(0, mostShown)
}

function More({ of }: { readonly of: readonly unknown[] }) {
  return of.length <= mostShown ? null : <p class="hint">and {of.length - mostShown} smaller ones</p>
}

function Facts({ facts }: { readonly facts: readonly (readonly [name: string, value: string])[] }) {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </>
      ))}
    </dl>
  )
}

function Bar({
  name,
  detail,
  bytes,
  of,
}: {
  readonly name: string
  readonly detail: string
  readonly bytes: number
  readonly of: number
}) {
  return (
    <div class="bar">
      <span class="name">{name}</span>
      <span class="detail">{detail}</span>
      <span class="bytes">{bytesText(bytes)}</span>
      <meter value={bytes} max={of} aria-label={`Bytes of ${name}`} />
    </div>
  )
}

function MigrationsList({ project, folder, applied = [], pending = [], drift = [] }: Migrations) {
  if (!project) return <p class="empty">There is no drizzle.config.ts in {folder}.</p>
  return (
    <ul class="findings">
      {applied.map((tag) => (
        <li key={tag} class="good">
          applied {tag}
        </li>
      ))}
      {pending.map((tag) => (
        <li key={tag} class="bad">
          pending {tag}
        </li>
      ))}
      {drift.map(({ message }) => (
        <li key={message} class="bad">
          {message}
        </li>
      ))}
      {pending.length + drift.length === 0 && <li class="good">Nothing is pending, and nothing differs.</li>}
    </ul>
  )
}

function Findings({ sound, rows, commits, counts, advice, findings }: Doctor) {
  const read = `${rows.toLocaleString('en')} rows and ${commits.toLocaleString('en')} commits were read.`
  if (sound) return <p class="good">All is well: {read}</p>
  return (
    <>
      {Object.entries(counts).map(([kind, count]) => (
        <section key={kind} class="finding">
          <h4>
            {kind}: {count.toLocaleString('en')}
          </h4>
          <ul class="findings">
            {findings
              .filter((it) => it.kind === kind)
              .map(({ key, version, message }) => (
                <li key={`${key}${version}${message}`} class="bad">
                  {[key ?? version, message].filter(Boolean).join(': ')}
                </li>
              ))}
          </ul>
          <p>{advice[kind]}</p>
        </section>
      ))}
      <p class="hint">{read}</p>
    </>
  )
}

export function bytesText(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`
  const units = ['kB', 'MB', 'GB', 'TB']
  let size = bytes / 1_000
  let unit = 0
  while (size >= 1_000 && unit < units.length - 1) {
    size /= 1_000
    unit += 1
  }
  return `${size.toFixed(size < 10 ? 1 : 0)} ${units[unit]}`
}
