"""python -m lanchat"""

from lanchat.cli.main import main

main()
