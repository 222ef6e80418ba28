export { type UseLiveQueryOptions, useLiveQuery, useSuspenseLiveQuery } from './react/use-live-query.ts'
