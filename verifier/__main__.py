"""`python -m verifier`: see verifier.service."""

import sys

from verifier.service import main

if __name__ == "__main__":
    sys.exit(main())
