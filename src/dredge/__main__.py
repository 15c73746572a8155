"""`python -m dredge`: the command line."""

from dredge.cli import main

if __name__ == "__main__":
    main()
