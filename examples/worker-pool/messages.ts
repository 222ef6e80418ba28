/** What the pool tells a thread: to do a task, for the first time or again, or to end. */
export type Order<Task> = { readonly task: Task; readonly attempt: number } | 'end'

/** What a thread answers when it has done a task. */
export type Answer<Result> =
  | { readonly ok: true; readonly result: Result }
  | { readonly ok: false; readonly error: unknown }
