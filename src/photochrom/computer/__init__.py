"""The computer: cores, room for pixels in memory and on disk, hashes of files, and files from the web."""
