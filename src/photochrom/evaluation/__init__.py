"""The parts of the scoreboard: photographs, stress splits, rows, features, cost, summary and report."""
