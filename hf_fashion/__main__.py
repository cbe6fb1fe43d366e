"""`python -m hf_fashion` is `hf-fashion`."""

import sys

from .cli.main import main


sys.exit(main())
