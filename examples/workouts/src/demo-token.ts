// The token of the demo: the actor's name. FOR A DEMO ONLY: anybody can be anybody. A real app hands out tokens at sign-in.

/** The token that the demo's authority takes for an actor: the name itself, in a form that fits a header. */
export function demoToken(actor: string): string {
  return encodeURIComponent(actor)
}

/** The actor whose token a request brings, or undefined. */
export function actorOfToken(authorization: string | undefined): string | undefined {
  const token = /^Bearer ([^\s]+)$/i.exec(authorization ?? '')?.[1]
  try {
    return token === undefined ? undefined : decodeURIComponent(token)
  } catch {
    return undefined
  }
}
