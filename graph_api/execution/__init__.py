"""An operation, from its text to its answer: parse, limit, validate, run, mask."""
