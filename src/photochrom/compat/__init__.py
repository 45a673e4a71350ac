"""The programming interfaces of other programs, so that scripts and notebooks written for them go on working."""
