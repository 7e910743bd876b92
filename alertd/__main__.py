"""`python -m alertd` is the console script."""

from alertd.cli import main

if __name__ == "__main__":
    main()
