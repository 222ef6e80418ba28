/** The vendor of the schemas that `knownSchema` makes, by which they are told without its code, and that of its validator. */
export const knownVendor = 'valkeyrie'
