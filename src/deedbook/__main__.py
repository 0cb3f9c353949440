from deedbook.cli import main

main()
