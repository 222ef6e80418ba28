import type { ClaimTimes } from '../../claims/measure-claims.ts'
import { formatOutcome } from '../figures.ts'
import { formatTable } from '../table.ts'
import type { Section } from './section.ts'

export const claimsSection = (times: readonly ClaimTimes[]): Section => ({
  title: 'Claims by several processes',
  blocks: [
    'A thousand jobs in one file, claimed one by one until there are none: `claimMany` with a `limit` of 1, beside `UPDATE … RETURNING`; what each claim takes with all processes together.',
    formatTable([
      ['processes', 'by hand', 'valkeyrie'],
      ...times.map(({ processes, byHand, valkeyrie }) => [
        String(processes),
        formatOutcome(byHand),
        formatOutcome(valkeyrie),
      ]),
    ]),
  ],
})
