"""The computer: cores that this process may use, room for pixels in memory and on disk, hashes of files,
and files from the web, whole and checked."""
