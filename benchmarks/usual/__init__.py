"""The usual stack: Strawberry, SQLAlchemy's ORM and aiodataloader on Starlette.

As good engineers write it who follow the documentation of each: a type and its
resolvers for each table, one DataLoader for each relation and request, statements that
are cached, parsed and validated documents that are cached as well. The tables are
those of graph_api, and so are the bounds of its connections.
"""
