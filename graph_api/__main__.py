"""`python -m graph_api` is `graph-api`."""

from .cli import main

if __name__ == "__main__":
    main()
