// The program of a reader thread: reads the stock, and answers with reports.
import { workerData } from 'node:worker_threads'
import { answerRequests } from './answer-requests.ts'
import { reports } from './reports.ts'
import { openStock } from './stock.ts'

const { path } = workerData as { readonly path: string }
await using db = await openStock(path, { readOnly: true })
await answerRequests(db, reports)
