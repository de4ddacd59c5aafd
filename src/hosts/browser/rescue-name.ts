// The names under which a rescue copy lies in Web Storage: apart from what reads it (localstorage.ts, loaded on demand), for whoever
// starts asks only whether there is one. Knows nothing of what the items mean.

/** Before all items of one store's copy. A name may hold slashes; encoded, none is the beginning of another. */
export const rescuePrefix = (name: string): string => `holdfast-rescue/${encodeURIComponent(name)}/`

/** The item without which there is no copy. */
export const rescueHead = (name: string): string => `${rescuePrefix(name)}head`
