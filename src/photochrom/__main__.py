"""`python -m photochrom` is the command line."""

from photochrom.cli import main

main()
