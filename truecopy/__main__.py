"""`python -m truecopy` is `truecopy`."""

from truecopy.cli import main

if __name__ == "__main__":
    main()
