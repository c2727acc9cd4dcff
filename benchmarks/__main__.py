"""`python -m benchmarks`: the table of what BrainSift costs on this machine; `python -m benchmarks NAME …` for a part.

All that `run.py` knows may be named; without a name the benchmarks of scale are run, about ten minutes on idle cores.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from run import main

OF_SCALE = ("startup", "install", "stages", "scaling", "size", "records", "forecast")

if __name__ == "__main__":
    sys.exit(main(OF_SCALE))
