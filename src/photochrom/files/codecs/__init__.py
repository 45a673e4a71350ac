"""Files in, files out: which format it is, its pixels, its metadata, and writing it whole."""
