// Planning, sending, losing and repeating an attempt share what is known of the batch.
import type { CommitFacts } from '../../../commit/facts.ts'
import { type Foreseen, foreseen } from '../../../commit/foreseen.ts'
import { type CommitPlan, planCommit } from '../../../commit/plan.ts'
import { activeTurn, leaveTurn, type Ticket } from '../../../commit/turn.ts'
import type { HeldValues } from '../../../commit/unique.ts'
import { ConnectionError } from '../../../contract/errors.ts'
import { clock } from '../../../time/clock.ts'
import type { BatchOutcome, CommitBatch } from '../../driver.ts'
import { ConnectionLost, isUniqueViolation } from '../server/server-error.ts'
import { CommitState } from '../tables/commit-function.ts'
import { newToken } from './batch-token.ts'
import type { Claimable, CommitAnswer, CommitRequests } from './commit-requests.ts'
import { mergedHolders } from './merged-holders.ts'
import { movedOutcome } from './moved-outcome.ts'
import { Pauses } from './pauses.ts'
import { type BatchParameters, commitParameters } from './plan-parameters.ts'

/** The last known facts of a database: enough to plan writes that depend on nothing else. */
export interface Heard {
  latest: number
  turns: string
  /** How many commits in a row have met no other commit in between. */
  undisturbed: number
}

/** The batch was given up, and no attempt of it can be committed any more. */
class NothingWritten extends ConnectionError {
  constructor() {
    super(false)
  }
}

/** An attempt without an answer: it may have been committed, or may still be. */
interface Unanswered {
  readonly plan: CommitPlan
  readonly token: Buffer
}

const noFacts: Pick<CommitFacts, 'rows' | 'logged' | 'expired' | 'oldestLogged'> = {
  rows: [],
  logged: [],
  expired: [],
  oldestLogged: 0,
}

/** How many answers may be lost before the batch is given up, once `connectTimeout` is over, too. */
const mostLosses = 3
/** After this many undisturbed commits, the next one expects none in between. With others who write as often, that is rare. */
const enoughUndisturbed = 4
/** How often a unique index may refuse plans when no row is in the way: then the index is not one of ours. */
const mostRefusals = 10

/** Commits a batch of writes: plans, sends the plan, and plans again if something has changed meanwhile. */
export class BatchCommit {
  readonly #requests: CommitRequests
  readonly #heard: Heard
  readonly #batch: CommitBatch
  readonly #token = newToken()
  readonly #unanswered: Unanswered[] = []
  readonly #foreseen: Foreseen | null
  #attempt = 0
  #refusals = 0
  /** Started by the first lost answer. */
  #pauses: Pauses | null = null
  /** Whether the batch is given up, because its answers were lost too often. */
  #isGivenUp = false
  /** How many milliseconds this process was busy. */
  #took = 0
  #holders: HeldValues = new Map()
  /** The version after which its attempts may be in the log. */
  #since: number | null = null

  constructor(batch: CommitBatch, requests: CommitRequests, heard: Heard) {
    this.#batch = batch
    this.#requests = requests
    this.#heard = heard
    this.#foreseen = foreseen(batch.writes)
  }

  async commit(): Promise<BatchOutcome> {
    try {
      return await this.#commit()
    } catch (error) {
      if (this.#unanswered.length === 0 || error instanceof NothingWritten) throw error
      throw new ConnectionError(null, { cause: error })
    }
  }

  async #commit(): Promise<BatchOutcome> {
    const { writes } = this.#batch
    let facts = await this.#facts()
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
      if (state === CommitState.done) {
        if (this.#isGivenUp) throw new NothingWritten()
        return this.#done(plan, latest - (plan.latest - plan.before))
      }
      if (state === CommitState.already) {
        const sent = this.#unanswered.find(({ token }) => token.equals(answer.attempt!))!
        return this.#done(sent.plan, latest - 1)
      }
      if (state === CommitState.catalog) return this.#requests.catalog()
      // One of them may have changed, and would be relied on again.
      this.#holders = new Map()
      facts = this.#foreseen?.since === null ? await this.#facts() : await this.#read()
    }
  }

  /** The facts to plan by. If the writes bring them, the last known version is enough: later commits only move the versions. */
  async #facts() {
    const isEnough = this.#foreseen !== null && this.#holders.size === 0 && this.#unanswered.length === 0
    return isEnough ? this.#guess(this.#foreseen) : await this.#read()
  }

  /**
   * If the batch is given up, or changes nothing, while an earlier attempt may still arrive: replaces the plan with an empty
   * commit, so that the late attempt finds the batch done.
   */
  #fenced(plan: CommitPlan): CommitPlan {
    if (!this.#isGivenUp && (plan.log.length > 0 || this.#unanswered.length === 0)) return plan
    const latest = plan.before + 1
    return {
      ...plan,
      latest,
      holds: { ...plan.holds, isLatest: false, reads: nothingRead, versions: [] },
      rows: [],
      endedTurn: null,
      log: [{ version: latest, at: this.#requests.now(), changes: [] }],
    }
  }

  #guess({ versions, since }: Foreseen) {
    const { turns } = this.#heard
    const latest = since ?? this.#heard.latest
    const { unique } = this.#requests
    const claimable: Claimable = new Map()
    return {
      ...noFacts,
      versions,
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
    // The log no longer has the commits since the first attempt: nobody knows whether it was among them.
    if (this.#unanswered.length > 0 && known.oldestLogged > this.#since! + 1) throw new ConnectionError(null)
    const { unique } = this.#requests
    return { ...known, unique, claimable, holders: this.#holders, isGuess: false }
  }

  async #send(plan: CommitPlan, { turns }: { readonly turns: string }) {
    this.#since ??= plan.before
    if (this.#unanswered.length === 0) this.#since = plan.before
    const { unique, lockTimeout } = this.#requests
    const { catalogVersion } = this.#batch
    const token = Buffer.from(this.#token)
    token[16] = this.#attempt++
    const parts = { catalogVersion, turns, since: this.#since, lockTimeout, token, unique }
    try {
      return (await this.#commitShort(plan, parts)) ?? (await this.#commitByFunction(plan, parts))
    } catch (error) {
      if (error instanceof ConnectionLost) await this.#lost({ plan, token }, error)
      else if (isUniqueViolation(error)) await this.#refused(plan, error)
      else throw error
      return 'again'
    }
  }

  /** Null if it was not, or could not be, carried out this way: then nothing of it is written. */
  async #commitShort(plan: CommitPlan, batch: BatchParameters): Promise<CommitAnswer | null> {
    const isFirst = this.#unanswered.length === 0
    if (!isFirst || this.#heard.undisturbed < enoughUndisturbed) return null
    const short = this.#requests.short(plan, batch)
    if (short === null) return null
    const { turns } = batch
    if (await this.#requests.commitShort(short)) {
      this.#hear(plan.latest, turns)
      return { state: CommitState.done, latest: plan.latest, turns, attempt: null }
    }
    this.#heard.undisturbed = 0
    return null
  }

  async #commitByFunction(plan: CommitPlan, batch: BatchParameters): Promise<CommitAnswer> {
    const { endedTurn, latest } = plan
    const { turns } = batch
    const turnsAfter =
      endedTurn === null ? null : JSON.stringify(leaveTurn(JSON.parse(turns) as Ticket[], endedTurn))
    const answer = await this.#requests.commit(commitParameters(plan, batch, turnsAfter))
    const isUndisturbed = answer.state === CommitState.done && answer.latest === latest
    this.#heard.undisturbed = isUndisturbed ? this.#heard.undisturbed + 1 : 0
    if (answer.state !== CommitState.already) this.#hear(answer.latest, answer.turns)
    return answer
  }

  async #lost(attempt: Unanswered, error: ConnectionLost): Promise<void> {
    if (this.#isGivenUp) throw error
    this.#unanswered.push(attempt)
    this.#pauses ??= new Pauses(this.#requests.connectTimeout)
    this.#isGivenUp = this.#unanswered.length >= mostLosses && this.#pauses.areOver
    await this.#pauses.next()
  }

  async #refused(plan: CommitPlan, error: unknown): Promise<void> {
    const found = await this.#requests.holders(plan)
    if (found.size === 0) this.#refusals += 1
    if (this.#refusals === mostRefusals) throw error
    this.#holders = mergedHolders(this.#holders, found)
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
      outcomes: plan.outcomes.map((outcome) => movedOutcome(outcome, plan, moved)),
      took: this.#took,
    }
  }
}

const nothingRead = { keys: [], ranges: [], validUntil: null, expiredAfter: null }
