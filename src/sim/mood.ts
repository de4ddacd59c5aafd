// The mood of a seed: which kinds of faults are likely in it and which never come, since faults that always come together hide each
// other. How a fault is done is the affair of the part to which it happens.
import type { Unrest } from './authority.ts'
import type { Weather } from './network.ts'
import type { Dice } from './random.ts'

/** What may happen to devices, with how likely each is. */
export type DeviceMood = { readonly [Kind in DeviceTrouble]: number }
/** What may happen to the authority, with how likely each is. */
export type AuthorityMood = { readonly [Kind in AuthorityTrouble]: number }

/** What may happen to one device. `copy` keeps an image of its disk, for later. */
export type DeviceTrouble =
  | 'cut'
  | 'cutOneWay'
  | 'crash'
  | 'powerCut'
  | 'restart'
  | 'frozen'
  | 'paused'
  | 'noToken'
  | 'diskFull'
  | 'clockJump'
  | 'diskSetBack'
  | 'cloned'
  | 'signedOut'
  | 'copy'

/** What may happen to the authority. `backUp` keeps a copy of its database, for later. */
export type AuthorityTrouble =
  | 'crash'
  | 'setBack'
  | 'frozen'
  | 'clockJump'
  | 'badDeploy'
  | 'foreignWrite'
  | 'grantChange'
  | 'serverRun'
  | 'forged'
  | 'backUp'
  | 'nothing'

/** The mood of one seed. */
export interface Mood {
  readonly weather: Weather
  readonly device: DeviceMood
  readonly authority: AuthorityMood
  readonly unrest: Unrest
  /** What happens once more when all had agreed: after it nobody writes any more. */
  readonly lastBlow: LastBlow
}

/** The last fault of a world. */
export type LastBlow = 'none' | 'authoritySetBack' | 'diskSetBack' | 'both' | 'foreignWrite' | 'grantChange'

/** Draws a mood. */
export function drawMood(dice: Dice): Mood {
  const often = (usual: number): number => (dice.chance(0.55) ? usual * (0.3 + 1.7 * dice.fraction()) : 0)
  return {
    weather: {
      latencyMs: dice.between(2, 120),
      delay: often(0.04),
      requestLost: often(0.06),
      answerLost: often(0.06),
      repeat: often(0.05),
      concurrentRepeat: often(0.04),
      lateRepeat: often(0.03),
      garbledRequest: often(0.05),
      garbledAnswer: often(0.03),
      strangeAnswer: often(0.03),
      streamCut: often(0.03),
      streamStalled: often(0.02),
      streamSlow: often(0.01),
    },
    device: {
      cut: often(5),
      cutOneWay: often(2),
      crash: often(3),
      powerCut: often(3),
      restart: often(1.5),
      frozen: often(1),
      paused: often(0.7),
      noToken: often(0.6),
      diskFull: often(0.7),
      clockJump: often(1),
      diskSetBack: often(0.8),
      cloned: often(0.6),
      signedOut: often(0.6),
      copy: 2,
    },
    authority: {
      crash: often(2),
      setBack: often(1),
      frozen: often(0.5),
      clockJump: often(0.5),
      badDeploy: often(2),
      foreignWrite: often(6),
      grantChange: often(3),
      serverRun: often(3),
      forged: often(3),
      backUp: 1.5,
      nothing: 3,
    },
    unrest: { pause: often(0.03), failure: often(0.004) },
    lastBlow: dice.weighted({ none: 4, authoritySetBack: 3, diskSetBack: 1, both: 1, foreignWrite: 2, grantChange: 1 }),
  }
}
