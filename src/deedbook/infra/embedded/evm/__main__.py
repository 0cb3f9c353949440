"""The node as a process of its own. Its arguments: port, chain id, seconds between blocks, and while it is idle."""

import sys

from deedbook.infra.embedded.evm.serve import serve

serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]))
