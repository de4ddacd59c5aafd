// The public entry «holdfast/client»: the device's side. A host (holdfast/node, later holdfast/browser) supplies the world.

export type { Client, ClientOptions, Inspection, Session, Shown } from './api.ts'
export type { CallOptions, Decision, IntentHandle } from './calls.ts'
export { createClient } from './client.ts'
export type { Host, Network, NetworkAnswer, NetworkRequest, StreamListener } from './host.ts'
export type { OutboxItem } from './outbox/item.ts'
export { type Discarded, discardIntent, editIntent, type Repair, repairOf, retryIntent } from './outbox/repair.ts'
export { exportUnsent, type Imported, importUnsent, type RescueBundle, type RescuedIntent } from './outbox/rescue.ts'
export type { OutboxEvent, ParkedReason } from './outbox/stored.ts'
export type { LiveQuery } from './query/live.ts'
export type { Badge, Connection, Status, SyncInfo } from './status.ts'
export type { Folding, Storage, StorageMode, Stored, StoredFrame } from './storage/storage.ts'
export type { Tuning } from './sync/tuning.ts'
