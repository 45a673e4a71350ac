"""The computer: which cores this process may use, and room for pixels in its memory and on its disk."""
