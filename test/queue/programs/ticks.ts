import { queue } from 'valkeyrie/queue'
import { z } from 'zod'

/** What the processes of a test share. */
export const ticks = queue('ticks', z.object({ n: z.int() }), { lease: 500, concurrency: 20 })
