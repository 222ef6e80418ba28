import { realNextTick } from '../../../time/clock.ts'

let moment = 0
let isTickDue = false

/** The number of the moment: in one moment, this thread learns nothing of commits of others. */
export function momentNow(): number {
  return moment
}

/** Called before a driver uses the engine: whatever that does may show a commit of others. */
export function endMoment(): void {
  moment = (moment + 1) | 0
}

/** Ends the moment with the callback of the event loop that is running: the next one may bring a message. */
export function endMomentWithCallback(): void {
  if (isTickDue) return
  isTickDue = true
  realNextTick(tick)
}

function tick(): void {
  isTickDue = false
  endMoment()
}
