export { liveChanges, liveQuery } from './http/declare.ts'
export { nodeHandler } from './http/node-handler.ts'
export { type LiveServer, serveLive } from './http/serve-live.ts'
export type { LiveAnswer, LiveGrant, LiveRequest, ServeLiveOptions } from './http/serve-options.ts'
export type {
  LiveChange,
  LiveChanges,
  LiveChangesFilter,
  LiveChangesOptions,
  LiveDeclaration,
  LiveDeclarations,
  LiveOptions,
  LiveQuery,
} from './wire/live.types.ts'
