"""The command line: the command `zoo`, and what the recipes' command lines share."""
