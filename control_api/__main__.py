"""`python -m control_api` is the `halqa` command."""

from control_api.cli import main

raise SystemExit(main())
