// `holdfast/jose`: bearer tokens for an authority. The app brings the package jose.
export { type BearerOptions, bearer, type Keys } from './bearer.ts'
