// The version of the wire. It rises when a frame changes in a way that an older side cannot read; golden frames of every version
// that is spoken stay in test/wire.

/** The version of the protocol that this build speaks. */
export const PROTOCOL = 1
