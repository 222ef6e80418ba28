import { randomBytes } from 'node:crypto'
import type { CommitFacts } from '../../../commit/facts.ts'
import { type CommitPlan, needsOf, planCommit } from '../../../commit/plan.ts'
import { activeTurn, leaveTurn, type Ticket } from '../../../commit/turn.ts'
import type { HeldValue, HeldValues } from '../../../commit/unique.ts'
import type { AtomicWrite, CommitOutcome } from '../../../commit/write.ts'
import { ConnectionError } from '../../../contract/errors.ts'
import { clock } from '../../../time/clock.ts'
import type { BatchOutcome, CommitBatch } from '../../driver.ts'
import { ConnectionLost, isUniqueViolation } from '../server/server-error.ts'
import { CommitState } from '../tables/commit-function.ts'
import type { Claimable, CommitRequests } from './commit-requests.ts'
import { commitParameters } from './plan-parameters.ts'

/** What was last heard of a database: enough to plan writes that nothing is to be known for. */
export interface Heard {
  latest: number
  turns: string
}

/** An attempt of which no answer has come: it may have been committed, or may yet be. */
interface Unanswered {
  readonly plan: CommitPlan
  readonly token: Buffer
}

const noFacts: Pick<CommitFacts, 'versions' | 'rows' | 'logged' | 'expired' | 'oldestLogged'> = {
  versions: [],
  rows: [],
  logged: [],
  expired: [],
  oldestLogged: 0,
}

/** A batch of writes on its way into the database. It plans, sends the plan, and plans anew where something has changed meanwhile. */
export class BatchCommit {
  readonly #requests: CommitRequests
  readonly #heard: Heard
  readonly #batch: CommitBatch
  readonly #token = randomBytes(17)
  readonly #unanswered: Unanswered[] = []
  #attempt = 0
  /** Milliseconds that this process was kept busy. */
  #took = 0
  #holders: HeldValues = new Map()
  /** The version after which its attempts may stand in the log. */
  #since: number | null = null

  constructor(batch: CommitBatch, requests: CommitRequests, heard: Heard) {
    this.#batch = batch
    this.#requests = requests
    this.#heard = heard
  }

  async commit(): Promise<BatchOutcome> {
    try {
      return await this.#commit()
    } catch (error) {
      if (this.#unanswered.length === 0) throw error
      throw new ConnectionError(null, { cause: error })
    }
  }

  async #commit(): Promise<BatchOutcome> {
    const { writes } = this.#batch
    // Where nothing is to be known, what was heard last is enough: what has come since moves the versions.
    let facts = isBlind(writes) ? this.#guess() : await this.#read()
    for (;;) {
      const began = clock()
      const turn = activeTurn(JSON.parse(facts.turns) as Ticket[], facts.now)
      const plan = this.#fenced(planCommit(writes, { ...facts, turn }, this.#requests.logValues))
      this.#took += clock() - began
      if (plan.log.length === 0) {
        if (!facts.isGuess) return { type: 'done', outcomes: plan.outcomes, took: this.#took }
        facts = await this.#read()
        continue
      }
      const answer = await this.#send(plan, facts)
      if (answer === 'again') {
        facts = await this.#read()
        continue
      }
      const { state, latest } = answer
      if (state === CommitState.done) return this.#done(plan, latest - (plan.latest - plan.before))
      if (state === CommitState.already) {
        const sent = this.#unanswered.find(({ token }) => token.equals(answer.attempt!))!
        return this.#done(sent.plan, latest - 1)
      }
      if (state === CommitState.catalog) return this.#requests.catalog()
      facts = isBlind(writes) && this.#holders.size === 0 ? this.#guess() : await this.#read()
    }
  }

  /**
   * Where an earlier attempt may still be on its way, and nothing is to be written any more: a commit that changes nothing takes its
   * place, so that the late one finds that the batch is done.
   */
  #fenced(plan: CommitPlan): CommitPlan {
    if (plan.log.length > 0 || this.#unanswered.length === 0) return plan
    const latest = plan.before + 1
    return {
      ...plan,
      latest,
      log: [{ version: latest, at: this.#requests.now(), changes: new Uint8Array() }],
    }
  }

  #guess() {
    const { latest, turns } = this.#heard
    const { unique } = this.#requests
    const claimable: Claimable = new Map()
    return {
      ...noFacts,
      latest,
      turns,
      now: this.#requests.now(),
      unique,
      claimable,
      holders: this.#holders,
      isGuess: true,
    }
  }

  async #read() {
    const { known, claimable } = await this.#requests.facts(this.#batch.writes)
    this.#hear(known.latest, known.turns)
    const { unique } = this.#requests
    return { ...known, unique, claimable, holders: this.#holders, isGuess: false }
  }

  async #send(plan: CommitPlan, { turns }: { readonly turns: string }) {
    const token = Buffer.from(this.#token)
    token[16] = this.#attempt++
    this.#since ??= plan.before
    if (this.#unanswered.length === 0) this.#since = plan.before
    const { endedTurn } = plan
    const { unique, lockTimeout } = this.#requests
    const parameters = commitParameters(plan, {
      catalogVersion: this.#batch.catalogVersion,
      turns,
      since: this.#since,
      lockTimeout,
      token,
      turnsAfter:
        endedTurn === null ? null : JSON.stringify(leaveTurn(JSON.parse(turns) as Ticket[], endedTurn)),
      unique,
    })
    try {
      const [state, latest, turnsNow, , attempt] = (await this.#requests.commit(parameters)) as [
        number,
        number,
        string,
        number,
        Buffer | null,
      ]
      if (state !== CommitState.already) this.#hear(latest, turnsNow)
      return { state, latest, attempt }
    } catch (error) {
      if (error instanceof ConnectionLost) {
        this.#unanswered.push({ plan, token })
        return 'again'
      }
      if (!isUniqueViolation(error)) throw error
      this.#holders = merged(this.#holders, await this.#requests.holders(plan))
      return 'again'
    }
  }

  #hear(latest: number, turns: string): void {
    if (latest > this.#heard.latest) this.#heard.latest = latest
    this.#heard.turns = turns
  }

  /** `before`: the newest version when the plan was carried out. */
  async #done(plan: CommitPlan, before: number): Promise<BatchOutcome> {
    const given = plan.latest - plan.before
    await this.#requests.trimAfter(before, before + given)
    const moved = before - plan.before
    return {
      type: 'done',
      outcomes: plan.outcomes.map((outcome) => shifted(outcome, plan, moved)),
      took: this.#took,
    }
  }
}

/** What was found before, in whose place the plan may have put another hindrance since, and what is found now. */
function merged(before: HeldValues, found: HeldValues): HeldValues {
  const all = new Map(before)
  for (const [stored, holders] of found) {
    const isNew = (one: HeldValue) => !holders.some(({ key }) => Buffer.compare(key, one.key) === 0)
    all.set(stored, [...holders, ...(before.get(stored) ?? []).filter(isNew)])
  }
  return all
}

/** Whether writes can be planned by nothing but the newest version. */
function isBlind(writes: readonly AtomicWrite[]): boolean {
  if (writes.some(({ claim }) => claim !== undefined)) return false
  const { versions, rows, since } = needsOf(writes)
  return versions.length === 0 && rows.length === 0 && since === null
}

/** An outcome where commits have come between: versions that it was to give have moved. */
function shifted(outcome: CommitOutcome, { before }: CommitPlan, moved: number): CommitOutcome {
  if (moved === 0) return outcome
  const move = (version: number | null) => (version !== null && version > before ? version + moved : version)
  if (outcome.type === 'committed') return { ...outcome, version: move(outcome.version)! }
  if (outcome.type !== 'conflict') return outcome
  return {
    ...outcome,
    conflicts: outcome.conflicts.map((conflict) => ({ ...conflict, actual: move(conflict.actual) })),
  }
}
