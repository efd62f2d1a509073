"""The benchmark: our server, its peers and the limit, on one database."""
