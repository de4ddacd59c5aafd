// What may happen to the authority, and to its database by others. When it happens is trouble.ts.
import type { AuthorityNode } from './authority.ts'
import type { Foreign } from './foreign.ts'
import type { History } from './history.ts'
import type { AuthorityTrouble } from './mood.ts'
import type { Dice } from './random.ts'
import type { ServerCode } from './server-code.ts'
import type { Stranger } from './stranger.ts'
import type { World } from './world.ts'

/** What the trouble of the authority is made of. */
export interface AuthorityTroubleParts {
  readonly world: World
  readonly dice: Dice
  readonly history: History
  readonly authority: AuthorityNode
  readonly foreign: Foreign
  readonly serverCode: ServerCode
  readonly strangers: readonly Stranger[]
}

/** The trouble of the authority. */
export interface AuthorityTroubles {
  readonly kinds: { readonly [Kind in AuthorityTrouble]: () => void }
  /** To be called between two statements: writes of others that wait for such a moment. */
  between(kind: 'read' | 'write'): void
}

/** Makes it. */
export function createAuthorityTrouble({
  world,
  dice,
  history,
  authority,
  foreign,
  serverCode,
  strangers,
}: AuthorityTroubleParts): AuthorityTroubles {
  const armed: (() => boolean)[] = []

  const startLater = (): void => {
    world.after(dice.between(50, 4_000), () => {
      if (authority.isUp) return
      // A statement that fails while it starts ends the process.
      authority.start().catch(() => authority.crash().then(startLater))
    })
  }

  /** Does it now, or between two statements of the next snapshot. */
  const arm = (
    kind: 'foreignWrite' | 'grantChange',
    inSnapshot: 'foreignInSnapshot' | 'grantInSnapshot',
    write: () => boolean,
  ): void => {
    if (dice.chance(0.4)) {
      if (write()) history.fault(kind, 'authority')
      return
    }
    armed.push(() => {
      if (!write()) return false
      history.fault(kind, 'authority')
      history.fault(inSnapshot, 'authority')
      return true
    })
  }

  return {
    kinds: {
      nothing: () => {},
      backUp: () => authority.backUp(),
      crash() {
        history.fault('authorityCrash', 'authority')
        void authority.crash().then(startLater)
      },
      setBack() {
        if (!authority.hasBackup) return
        history.fault('authoritySetBack', 'authority')
        void authority.crash().then(() => {
          authority.setBack()
          startLater()
        })
      },
      frozen() {
        history.fault('authorityFrozen', 'authority')
        authority.freeze()
        world.after(dice.between(200, 12_000), authority.thaw)
      },
      clockJump() {
        history.fault('authorityClockJump', 'authority')
        authority.jump(dice.between(-7_200_000, 7_200_000))
      },
      badDeploy() {
        authority.setBadDeploy(true)
        world.after(dice.between(500, 6_000), () => authority.setBadDeploy(false))
      },
      foreignWrite: () => arm('foreignWrite', 'foreignInSnapshot', foreign.write),
      grantChange: () => arm('grantChange', 'grantInSnapshot', foreign.changeGrants),
      serverRun: () => {
        if (serverCode.run()) history.fault('serverRun', 'authority')
      },
      forged: () => dice.pick(strangers)?.act(),
    },
    between(kind) {
      if (kind !== 'read' || armed.length === 0 || !dice.chance(0.3)) return
      const [write] = armed
      if (write?.() === true) armed.shift()
    },
  }
}
