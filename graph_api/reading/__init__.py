"""How rows are read: in batches, one statement for a relation, whatever the width.

Relations, filters, orders and pages are said here once, in SQLAlchemy's terms; the
loaders run them now, and a compiled plan can run the very same statements.
"""
