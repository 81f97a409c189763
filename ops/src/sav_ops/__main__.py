from sav_ops.cli import main

main()
