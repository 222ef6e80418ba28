import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { openProxy } from '../postgres/proxy.ts'
import type { Attack } from './attack.ts'
import { attackedServer, serverObstacle } from './server.ts'
import { type Soaked, soakIt, type Team } from './soak.ts'

/** Milliseconds by which an answer comes late. */
const latest = 40

type Harm = Pick<Soaked, 'harms' | 'harm'> & { readonly urlOfWorkers?: string; end?(): void }

/** A soak of a database on the server, which is harmed like this. */
function serverSoak(
  { name, promise }: Pick<Attack, 'name' | 'promise'>,
  workers: number,
  harming: (url: string) => Harm | Promise<Harm>,
): Attack {
  return {
    name,
    promise,
    obstacle: serverObstacle,
    async run(trials) {
      const { url } = await attackedServer()
      const schema = `soak_${randomBytes(8).toString('hex')}`
      const { harms, harm, urlOfWorkers = url, end } = await harming(url)
      await using soaked: Soaked = {
        path: `${url}?schema=${schema}`,
        pathOfWorkers: `${urlOfWorkers}?schema=${schema}`,
        harms,
        harm,
        check: () => assertNoGap(url, schema),
        async [Symbol.asyncDispose]() {
          end?.()
        },
      }
      return await soakIt(soaked, workers, trials)
    },
  }
}

/** The log has each version once, and none is missing between the first and the last that it keeps. */
async function assertNoGap(url: string, schema: string): Promise<void> {
  const text = `select max(l.version) - min(l.version) + 1 = count(*) and max(l.version) = max(m.version) as is_whole
    from ${schema}.kv_log l cross join ${schema}.kv_meta m`
  await byHand(url, async (client) => {
    const { rows } = await client.query(text)
    assert(rows[0].is_whole, 'the log has a gap')
  })
}

async function byHand<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

const clientKills = serverSoak(
  {
    name: 'kill -9 of clients of PostgreSQL',
    promise:
      'What was acknowledged to them is there once, nothing is half there, and no version is missing or late.',
  },
  4,
  () => ({ harms: 'kills', harm: (team) => team.kill() }),
)

const serverKills = serverSoak(
  {
    name: 'kill -9 of PostgreSQL under 8 writers',
    promise: 'No acknowledged commit is lost, doubled or late, and writers and watchers go on by themselves.',
  },
  8,
  () => ({
    harms: 'kills of the server',
    async harm(team) {
      await team.advance(1)
      const server = await attackedServer()
      await server.kill()
      await server.restart()
    },
  }),
)

const cuts = serverSoak(
  {
    name: 'connections to PostgreSQL that are cut, ended and delayed',
    promise: 'A commit whose answer was lost is done once, and writers and watchers go on by themselves.',
  },
  4,
  async (url) => {
    const proxy = await openProxy(url)
    const cut = async (team: Team) => {
      const kind = Math.floor(team.random() * 4)
      if (kind === 0) proxy.dropAnswers(1 + Math.floor(team.random() * 4))
      else if (kind === 1) proxy.delay(team.random() * latest)
      else if (kind === 2) proxy.retarget(url)
      else
        await byHand(url, (client) =>
          client.query(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'valkeyrie' and pid % 2 = $1",
            [Math.floor(team.random() * 2)],
          ),
        )
      await delay(team.random() * latest)
    }
    return {
      harms: 'cuts',
      urlOfWorkers: proxy.url,
      async harm(team) {
        await team.advance(1)
        for (let more = 3; more > 0; more--) await cut(team)
        proxy.delay(0)
      },
      end: () => proxy.end(),
    }
  },
)

/** Attacks on a server that is started for them. */
export const serverSoaks: readonly Attack[] = [clientKills, serverKills, cuts]
