"""The scoreboard: photographs and models come in, scores with intervals go out; `contest` is its door.

The other files are its parts: photographs, stress splits, rows, features, cost, summary and report.
"""
