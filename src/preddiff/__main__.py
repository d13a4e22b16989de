"""python -m preddiff"""

from preddiff.cli import main

main()
