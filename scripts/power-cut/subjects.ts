// Everything that a power cut is tried on, by name.
import { browserSubject } from './browsers.ts'
import { processSubject } from './processes.ts'
import type { Subject } from './subject.ts'

/** In the order in which all are tried. */
export const SUBJECTS: readonly Subject[] = [
  browserSubject('chromium'),
  browserSubject('firefox'),
  processSubject('device', './device.ts'),
  processSubject('authority', './authority.ts'),
]
