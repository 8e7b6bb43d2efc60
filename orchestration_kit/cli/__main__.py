"""`python -m orchestration_kit.cli`."""

import sys

from orchestration_kit.cli.program import main

if __name__ == "__main__":
    sys.exit(main())
