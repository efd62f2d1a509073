"""Plans: an operation worked out once, and run many times without a resolver.

The reference path asks every field of every object. A plan asks a selection: it knows
before which columns and relations are needed, reads them in one nested statement (or
one for each model that ids lead to), and shapes all rows by generated code. Read
`plans`, then `objects` and `rows`, which mirror each other, then what they stand on.
"""
