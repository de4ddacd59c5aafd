// Answers of a network as a test scripts them: whole ones, problems, and pages of somebody else.
import type { Code } from '../../src/base/errors.ts'
import type { NetworkAnswer } from '../../src/client/host.ts'
import { makeProblem } from '../../src/protocol/problem.ts'

/** An answer as it comes from the network. */
export function answerOf(
  status: number,
  body: unknown,
  headers: { readonly [name: string]: string } = {},
): NetworkAnswer {
  const all: { readonly [name: string]: string } = { 'content-type': 'application/json; charset=utf-8', ...headers }
  return { status, header: (name) => all[name], body: typeof body === 'string' ? body : JSON.stringify(body) }
}

/** An answer that states a problem. */
export function problemOf(code: Code, more: { readonly retryAfterMs?: number } = {}, headers = {}): NetworkAnswer {
  const problem = makeProblem(code, 'req-test', 'So it was scripted.', more)
  return answerOf(problem.status, problem, { 'content-type': 'application/problem+json', ...headers })
}

/** A page of somebody else: the sign-in page of a café. */
export const captivePortal = (): NetworkAnswer =>
  answerOf(200, '<html>Welcome to our café</html>', { 'content-type': 'text/html' })
