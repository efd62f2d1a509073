"""`python -m graph_api` is `graph-api`."""

from graph_api.cli import main

if __name__ == "__main__":
    main()
