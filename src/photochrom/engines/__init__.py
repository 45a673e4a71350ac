"""Ways to run a model; each is the same small protocol, and none is loaded before it is used."""
