"""How long the longest tests of a full run take: LANCHAT_LONGER=10 makes them ten times as long."""

import os

TIMES = int(os.environ.get("LANCHAT_LONGER", "1"))
