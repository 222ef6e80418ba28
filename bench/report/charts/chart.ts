/** A picture of what was measured. */
export interface Chart {
  /** Of its file, without extension. */
  readonly name: string
  readonly description: string
  readonly spec: object
}
