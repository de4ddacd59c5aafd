// Nominal types: a string that went through its parser cannot be mistaken for one that did not.

declare const brand: unique symbol

/** `Base` that only a parser or a maker of `Name` can produce. Costs nothing at run time. */
export type Brand<Base, Name extends string> = Base & { readonly [brand]: Name }
